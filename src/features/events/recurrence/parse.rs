//! From the text of a rule to the rule.
//!
//! Promises: [`Rule::parse`] takes what the RFCs allow and nothing else; [`Rule::read`] takes what other calendars send, mends
//! small slips and says which. Neither panics on any text.

use super::error::{Reason, RuleError};
use super::rule::{End, Frequency, Rule, Skip};
use super::values;

/// Longer rules than this are an attack, not a calendar.
const LENGTH_LIMIT: usize = 4_000;

type Outcome = Result<(), RuleError>;

impl Rule {
    /// Reads a rule by the letter of the RFCs, for input through the API. Letter case does not matter and `RRULE:` may stand in front.
    ///
    /// # Errors
    /// Names the part and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let mut reader = Reader::new(false);
        reader.read(text.trim())?;
        Ok(reader.rule)
    }

    /// Reads a rule as other calendars write them. Also says what was mended, each part with what was wrong.
    ///
    /// # Errors
    /// Names the part that cannot be understood.
    pub fn read(text: &str) -> Result<(Self, Vec<RuleError>), RuleError> {
        let mut reader = Reader::new(true);
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        reader.read(&text)?;
        Ok((reader.rule, reader.mended))
    }
}

/// A rule being read.
struct Reader {
    is_lenient: bool,
    rule: Rule,
    seen: Vec<String>,
    mended: Vec<RuleError>,
}

impl Reader {
    fn new(is_lenient: bool) -> Self {
        Self {
            is_lenient,
            rule: Rule::every(Frequency::Daily),
            seen: Vec::new(),
            mended: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) -> Outcome {
        if text.len() > LENGTH_LIMIT {
            return Err(RuleError::new("", Reason::TooLong));
        }
        let text = text.to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        if text.is_empty() {
            return Err(RuleError::new("", Reason::Empty));
        }
        for part in text.split(';') {
            if part.is_empty() && self.is_lenient {
                continue;
            }
            let (name, value) = part.split_once('=').ok_or_else(|| {
                RuleError::new(
                    part,
                    Reason::Malformed("a name and a value with `=` between them"),
                )
            })?;
            self.part(name, value)?;
        }
        if !self.has("FREQ") {
            return Err(RuleError::new("FREQ", Reason::Missing));
        }
        self.check_parts()?;
        self.check_days()
    }

    fn has(&self, name: &str) -> bool {
        self.seen.iter().any(|seen| seen == name)
    }

    /// Something that the RFC forbids and that can be mended: an error or a note.
    fn slip(&mut self, part: &str, reason: Reason) -> Outcome {
        let error = RuleError::new(part, reason);
        if !self.is_lenient {
            return Err(error);
        }
        self.mended.push(error);
        Ok(())
    }

    fn part(&mut self, name: &str, value: &str) -> Outcome {
        if self.has(name) {
            return Err(RuleError::new(name, Reason::Twice));
        }
        self.seen.push(name.to_owned());
        let value = if self.is_lenient {
            value.trim_matches(',')
        } else {
            value
        };
        let wrong = |reason| RuleError::new(name, reason);
        let list = |least, most| values::list(value, least, most).map_err(wrong);
        let either_sign = |most| values::signed_list(value, most).map_err(wrong);
        match name {
            "FREQ" => self.rule.frequency = values::frequency(value).map_err(wrong)?,
            "INTERVAL" => self.interval(value)?,
            "COUNT" => self.count(value)?,
            "UNTIL" => {
                let until = values::moment(value).map_err(wrong)?;
                if self.rule.end == End::Never {
                    self.rule.end = End::Until(until);
                } else {
                    self.slip("COUNT", Reason::NotWith("UNTIL"))?;
                    self.rule.end = End::Until(until);
                }
            }
            "WKST" => self.rule.week_start = values::weekday(value).map_err(wrong)?,
            "BYSECOND" => self.rule.seconds = list(0, 60)?,
            "BYMINUTE" => self.rule.minutes = list(0, 59)?,
            "BYHOUR" => self.rule.hours = list(0, 23)?,
            "BYDAY" => self.rule.days = values::days(value).map_err(wrong)?,
            "BYMONTHDAY" => self.rule.month_days = either_sign(31)?,
            "BYYEARDAY" => self.rule.year_days = either_sign(366)?,
            "BYWEEKNO" => self.rule.weeks = either_sign(53)?,
            "BYMONTH" => self.rule.months = list(1, 12)?,
            "BYSETPOS" => self.rule.positions = either_sign(366)?,
            "RSCALE" if value == "GREGORIAN" => self.rule.has_scale = true,
            "RSCALE" => return Err(wrong(Reason::Calendar(value.to_owned()))),
            "SKIP" => self.rule.skip = values::skip(value).map_err(wrong)?,
            _ => self.slip(name, Reason::Unknown)?,
        }
        Ok(())
    }

    fn interval(&mut self, value: &str) -> Outcome {
        let number = values::number(value).map_err(|reason| RuleError::new("INTERVAL", reason))?;
        if number == 0 {
            self.slip("INTERVAL", Reason::OutOfRange(1, i64::MAX))?;
        }
        self.rule.interval = number.max(1);
        Ok(())
    }

    fn count(&mut self, value: &str) -> Outcome {
        // Some programs write 0 or −1 for "without end".
        let number = if self.is_lenient && value == "-1" {
            0
        } else {
            values::number(value).map_err(|reason| RuleError::new("COUNT", reason))?
        };
        let most = u32::MAX;
        if number == 0 || number > most.into() {
            self.slip("COUNT", Reason::OutOfRange(1, most.into()))?;
        }
        match (self.rule.end, u32::try_from(number).unwrap_or(most)) {
            (End::Until(_), _) => self.slip("COUNT", Reason::NotWith("UNTIL"))?,
            (_, 0) => {}
            (_, count) => self.rule.end = End::Count(count),
        }
        Ok(())
    }

    /// What RFC 5545 says each part must not be used with.
    fn check_parts(&mut self) -> Outcome {
        let frequency = self.rule.frequency;
        let name = values::name(frequency);
        let yearly_only = !self.rule.weeks.is_empty() && frequency != Frequency::Yearly;
        let is_between = (Frequency::Daily..=Frequency::Monthly).contains(&frequency);
        // In rules from elsewhere these still limit what the rule gives.
        if yearly_only {
            self.slip("BYWEEKNO", Reason::NotWithFrequency(name))?;
        }
        if !self.rule.year_days.is_empty() && is_between {
            self.slip("BYYEARDAY", Reason::NotWithFrequency(name))?;
        }
        if !self.rule.month_days.is_empty() && frequency == Frequency::Weekly {
            self.slip("BYMONTHDAY", Reason::NotWithFrequency(name))?;
        }
        if !self.rule.positions.is_empty() && !self.rule.has_set() {
            self.slip("BYSETPOS", Reason::Needs("another part that begins with `BY`"))?;
            self.rule.positions.clear();
        }
        if self.rule.skip != Skip::Omit && !self.rule.has_scale {
            self.slip("SKIP", Reason::Needs("`RSCALE`"))?;
            self.rule.has_scale = true;
        }
        Ok(())
    }

    fn check_days(&mut self) -> Outcome {
        let rule = &self.rule;
        let may_number = match rule.frequency {
            Frequency::Monthly => true,
            Frequency::Yearly => rule.weeks.is_empty(),
            _ => false,
        };
        if may_number || rule.days.iter().all(|day| day.nth == 0) {
            return Ok(());
        }
        self.slip("BYDAY", Reason::NumberedDays)?;
        for day in &mut self.rule.days {
            day.nth = 0;
        }
        values::sort_days(&mut self.rule.days);
        Ok(())
    }
}
