//! From the workspace to a stored file, page by page. What its requester may not see is not in it.

mod sink;

use std::collections::HashMap;

use entity::enums::{DataFormat, JobStatus};
use entity::ids::TaskId;
use entity::{calendar, data_transfer, task, task_dependency, workspace};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::{Stop, lock, parameters};
use crate::access::Ctx;
use crate::features::calendars;
use crate::features::events::{Audience, ical::Writer, text_page};
use crate::features::transfers::formats::{CalendarRecord, EventRecord, FORMAT, TaskRecord, todo};
use crate::features::transfers::model::Parameters;
use crate::features::transfers::tables;
use crate::features::transfers::write::record;
use crate::kernel::time::Span;
use crate::kernel::{Error, Result, zones};
use crate::platform::jobs::RunningJob;
use sink::Sink;

/// Tasks of one page.
const PAGE: u64 = 500;

/// An export at work.
struct Work<'a> {
    ctx: &'a Ctx,
    job: &'a RunningJob,
    sink: Sink,
    calendars: Vec<calendar::Model>,
    with_tasks: bool,
    range: Option<Span>,
    written: i32,
}

/// Writes the file of a transfer.
pub(super) async fn export(ctx: &Ctx, row: &data_transfer::Model, job: &RunningJob) -> Result<(), Stop> {
    let Parameters {
        calendar_ids, range, ..
    } = parameters(row)?;
    let mut chosen = calendars::list(ctx).await?;
    if let Some(ids) = &calendar_ids {
        chosen.retain(|row| ids.contains(&row.id));
    }
    let mut work = Work {
        ctx,
        job,
        sink: Sink::begin(ctx, row.id).await?,
        calendars: chosen,
        with_tasks: calendar_ids.is_none(),
        range: range.map(|(start, end)| Span { start, end }),
        written: 0,
    };
    let first = match row.format {
        DataFormat::Ics => work.calendar_file().await?,
        DataFormat::Json => work.whole_file().await?,
        DataFormat::Csv => work.table().await?,
    };
    let written = work.written;
    let size = work.sink.finish(first).await?;
    let id = row.id;
    let ended = ctx.write(|tx| async move {
        let Some(mut row) = lock(&tx, id).await? else {
            return Ok(());
        };
        row.status = JobStatus::Succeeded;
        row.size_bytes = i64::try_from(size).ok();
        row.processed_count = written;
        row.finished_at = Some(tx.now());
        let hours = ctx.platform().config.limits.export_hours;
        row.expires_at = Some(tx.now() + chrono::Duration::hours(hours.into()));
        row.updated_at = tx.now();
        let row = tx.update(row.into_active_model().reset_all()).await?;
        let changes = serde_json::json!({ "format": row.format, "objects": written, "bytes": size });
        record(&tx, &row, "data_transfer.exported", changes);
        Ok(())
    });
    Ok(ended.await?)
}

impl Work<'_> {
    /// Counts what was written; stops when asked to.
    fn went_on(&mut self, objects: usize, calendars: usize) -> Result<(), Stop> {
        self.written = self
            .written
            .saturating_add(i32::try_from(objects).unwrap_or(i32::MAX));
        let parts = self.calendars.len() + usize::from(self.with_tasks);
        self.job.progress.of(calendars as u64, parts as u64);
        match self.job.cancel.is_cancelled() {
            true => Err(Stop::Cancelled),
            false => Ok(()),
        }
    }

    /// iCalendar. What stands first is known last: the zones that the events name.
    async fn calendar_file(&mut self) -> Result<String, Stop> {
        let zone = self
            .calendars
            .first()
            .map_or("UTC", |first| first.time_zone.as_str());
        let mut writer = match self.calendars.as_slice() {
            [only] => Writer::new(&only.name, only.description.as_deref(), zone),
            _ => Writer::new("Meridian", None, zone),
        };
        for (done, calendar) in self.calendars.clone().iter().enumerate() {
            let mut after = None;
            while let Some(page) = text_page(self.ctx, calendar, self.range, Audience::Caller, after).await? {
                after = Some(page.last);
                for object in &page.objects {
                    object.add_to(&mut writer);
                }
                self.sink.push(&writer.drain()).await?;
                self.went_on(page.objects.len(), done)?;
            }
        }
        let mut after = None;
        while let Some(page) = self.tasks(after).await? {
            after = page.last().map(|row| row.id);
            page.iter().for_each(|row| writer.add_todo(&todo(row)));
            self.sink.push(&writer.drain()).await?;
            self.went_on(page.len(), self.calendars.len())?;
        }
        self.sink.push(Writer::END).await?;
        Ok(writer.head())
    }

    /// Everything, one object a line.
    async fn whole_file(&mut self) -> Result<String, Stop> {
        let read = self.ctx.read().await?;
        let workspace = read
            .find::<workspace::Entity>()
            .one(&read)
            .await
            .map_err(Error::from)?;
        let workspace = workspace.ok_or_else(Error::not_found)?;
        let calendars: Vec<CalendarRecord> = self.calendars.iter().map(CalendarRecord::from).collect();
        let mut first = format!(
            "{{\"format\":{},\"exportedAt\":{},\"workspace\":{},\n\"calendars\":[",
            json(&FORMAT)?,
            json(&zones::from_chrono(self.ctx.platform().clock.now()).to_string())?,
            json(&serde_json::json!({ "name": workspace.name, "timeZone": workspace.time_zone }))?,
        );
        for (index, calendar) in calendars.iter().enumerate() {
            first.push_str(if index == 0 { "\n" } else { ",\n" });
            first.push_str(&json(calendar)?);
        }
        first.push_str("],\n\"events\":[");
        let mut separator = "\n";
        for (done, calendar) in self.calendars.clone().iter().enumerate() {
            let mut after = None;
            while let Some(page) = text_page(self.ctx, calendar, self.range, Audience::Caller, after).await? {
                after = Some(page.last);
                for object in &page.objects {
                    let mut writer = Writer::new(&calendar.name, None, &calendar.time_zone);
                    object.add_to(&mut writer);
                    let record = EventRecord {
                        calendar_id: Some(calendar.id.to_string()),
                        ics: writer.finish(),
                    };
                    self.sink.push(separator).await?;
                    self.sink.push(&json(&record)?).await?;
                    separator = ",\n";
                }
                self.went_on(page.objects.len(), done)?;
            }
        }
        self.sink.push("],\n\"tasks\":[").await?;
        let (mut after, mut separator) = (None, "\n");
        while let Some(page) = self.tasks(after).await? {
            after = page.last().map(|row| row.id);
            let waiting = self.dependencies(&page).await?;
            for row in &page {
                let depends_on = waiting.get(&row.id).map(Vec::as_slice).unwrap_or_default();
                self.sink.push(separator).await?;
                self.sink.push(&json(&TaskRecord::of(row, depends_on))?).await?;
                separator = ",\n";
            }
            self.went_on(page.len(), self.calendars.len())?;
        }
        self.sink.push("]}\n").await?;
        Ok(first)
    }

    /// Tasks as a table.
    async fn table(&mut self) -> Result<String, Stop> {
        let mut after = None;
        while let Some(page) = self.tasks(after).await? {
            after = page.last().map(|row| row.id);
            for row in &page {
                self.sink.push(&tables::row(row)).await?;
            }
            self.went_on(page.len(), self.calendars.len())?;
        }
        Ok(tables::head())
    }

    /// The next tasks; `None` when there are no more, or none are wanted.
    async fn tasks(&self, after: Option<TaskId>) -> Result<Option<Vec<task::Model>>, Stop> {
        use task::Column;
        if !self.with_tasks {
            return Ok(None);
        }
        let read = self.ctx.read().await.map_err(Stop::from)?;
        let mut wanted = Condition::all().add_option(after.map(|after| Column::Id.gt(after)));
        if let Some(range) = self.range {
            let within = |column: Column| {
                Condition::all()
                    .add(column.gte(range.start))
                    .add(column.lt(range.end))
            };
            let inside = Condition::any()
                .add(within(Column::DueAt))
                .add(within(Column::StartAfter));
            wanted = wanted.add(inside);
        }
        let select = read.find::<task::Entity>().filter(wanted);
        let select = select.order_by_asc(Column::Id).limit(PAGE);
        let rows = select.all(&read).await.map_err(Error::from)?;
        Ok((!rows.is_empty()).then_some(rows))
    }

    async fn dependencies(&self, rows: &[task::Model]) -> Result<HashMap<TaskId, Vec<TaskId>>> {
        let read = self.ctx.read().await?;
        let select = read
            .find::<task_dependency::Entity>()
            .filter(task_dependency::Column::TaskId.is_in(rows.iter().map(|row| row.id)));
        let mut waiting: HashMap<TaskId, Vec<TaskId>> = HashMap::new();
        for edge in select.all(&read).await? {
            waiting.entry(edge.task_id).or_default().push(edge.depends_on_id);
        }
        Ok(waiting)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
