//! Rollups of closed segments.

use domain::id::{AgentId, Generation, InstanceId};
use domain::metering::Segment;
use domain::money::NanoDollars;
use domain::time::{Day, Month};
use domain::usage::{Amount, Line};
use rusqlite::{Connection, params};

use crate::store::usage::{Book, Fold, Unfolded, View};
use crate::store::{Result, Shard, StoreError};

use super::row::{cursor, from_json, parsed, signed};
use super::sql;

fn book(book: Book) -> String {
    match book {
        Book::Owner(owner) => format!("owner#{owner}"),
        Book::Fleet(part) => format!("fleet#{part}"),
    }
}

pub(super) fn unfolded(db: &Connection, shard: Shard, limit: u16) -> Result<Vec<Unfolded>> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Unfolded { segment: from_json(row, 0)?, folded_until: row.get::<_, Option<i64>>(1)?.map(Day) })
    };
    Ok(sql::UNFOLDED.all(db, params![shard.0, limit], read)?)
}

/// A fold in SQLite's words.
pub(super) struct Adding {
    agent: AgentId,
    generation: Generation,
    from: Option<i64>,
    until: i64,
    to_fold: Option<u8>,
    shard: u8,
    month: String,
    lines: Vec<(String, String, i64, i64)>,
}

impl Adding {
    pub fn of(fold: &Fold) -> Result<Self> {
        let line = |(of, line, amount): (Book, Line, Amount)| {
            Ok((book(of), line.to_string(), amount.cost.0, signed(amount.awake_ms)?))
        };
        let shard = Shard::of(fold.segment.agent).0;
        Ok(Self {
            agent: fold.segment.agent,
            generation: fold.segment.generation,
            from: fold.from.map(|day| day.0),
            until: fold.day.next().0,
            to_fold: (!fold.is_last()).then_some(shard),
            shard,
            month: fold.month().to_string(),
            lines: fold.lines().into_iter().map(line).collect::<Result<_>>()?,
        })
    }

    pub fn run(&self, db: &Connection) -> Result<bool> {
        let agent = self.agent.to_string();
        let mark = params![agent, self.generation.0, self.from, self.until, self.to_fold];
        if sql::MARK_FOLDED.run(db, mark)? != 1 {
            return Ok(false);
        }
        for (book, line, cost, awake_ms) in &self.lines {
            sql::ADD_USAGE.run(db, params![book, self.month, line, cost, awake_ms])?;
        }
        sql::PUT_USAGE_SEGMENT.run(db, params![self.month, self.shard, agent, self.generation.0])?;
        Ok(true)
    }
}

pub(super) fn usage(
    db: &Connection,
    of: Book,
    month: Month,
    view: View,
    after: Option<&Line>,
    limit: u16,
) -> Result<Vec<(Line, Amount)>> {
    let (low, high) = view.span(after);
    let read = |row: &rusqlite::Row<'_>| {
        let amount =
            Amount { cost: NanoDollars(row.get(1)?), awake_ms: row.get::<_, i64>(2)?.unsigned_abs() };
        Ok((parsed(row, 0)?, amount))
    };
    Ok(sql::USAGE.all(db, params![book(of), month.to_string(), low, high, limit], read)?)
}

pub(super) fn segments_in(
    db: &Connection,
    month: Month,
    shard: Shard,
    after: Option<InstanceId>,
    limit: u16,
) -> Result<Vec<Segment>> {
    let (agent, generation) =
        (cursor(after.map(|after| after.agent)), after.map_or(0, |after| after.generation.0));
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?));
    let found =
        sql::USAGE_SEGMENTS.all(db, params![month.to_string(), shard.0, agent, generation, limit], read)?;
    let segment = |(agent, generation): (String, u32)| {
        let found = sql::SEGMENT.one(db, params![agent, generation], |row| from_json(row, 0))?;
        found.ok_or_else(|| {
            StoreError::Failed(format!("{agent}:{generation} is in the usage and is no segment"))
        })
    };
    found.into_iter().map(segment).collect()
}
