//! Words that are looked for inside texts, in any case.
//!
//! SQLite, and PostgreSQL with the collation `C`, know capitals of ASCII only: to them `Übung` and `übung` have nothing to do with each other.
//! So words with other letters are looked for in each way that people write them: small, in capitals, and with a capital at the beginning.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, LikeExpr};
use sea_orm::{ColumnTrait, Condition};

/// Whether one of these columns has the word in it.
pub fn has_word<C: ColumnTrait>(columns: &[C], word: &str) -> Condition {
    let spellings = spellings(word);
    let ways = columns
        .iter()
        .flat_map(|column| spellings.iter().map(move |spelling| (column, spelling)));
    ways.fold(Condition::any(), |any, (column, spelling)| {
        let pattern = LikeExpr::new(format!("%{}%", escaped(spelling))).escape('\\');
        let small = Func::lower(Expr::col(column.as_column_ref()));
        any.add(Expr::expr(small).like(pattern))
    })
}

/// How a word can stand in a text whose capitals of ASCII were made small.
fn spellings(word: &str) -> Vec<String> {
    let small = word.to_lowercase();
    if small.is_ascii() {
        return vec![small];
    }
    let mut letters = small.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let begun = first.unwrap_or_default() + letters.as_str();
    let others = [word.to_owned(), word.to_uppercase(), begun].map(|way| way.to_ascii_lowercase());
    let mut ways = vec![small];
    for way in others {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelled_as_people_write_them() {
        assert_eq!(spellings("BuDget"), ["budget"]);
        assert_eq!(spellings("übung"), ["übung", "Übung"]);
        assert_eq!(spellings("ÜBUNG"), ["übung", "Übung"]);
        assert_eq!(spellings("früh"), ["früh", "frÜh"]);
        assert_eq!(spellings("Отчёт"), ["отчёт", "Отчёт", "ОТЧЁТ"]);
        assert_eq!(escaped("1_0%\\"), "1\\_0\\%\\\\");
    }
}
