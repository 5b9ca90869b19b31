//! AWS's own bill of a month: a Cost and Usage Report in CSV, legacy or 2.0, read
//! line by line. Kept are sums for each run, so that memory grows with what ran
//! and not with the report's lines. It is refused whole where a line is wrong.

mod columns;
mod decimal;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::rc::Rc;

use domain::id::{AgentId, Generation, UserId};
use domain::price::Purchase;
use domain::time::{Month, Timestamp};

use columns::{Columns, LineItem};
pub use decimal::Decimal;

/// The most that one record may have; real ones have some kilobytes.
const RECORD_MAX: usize = 1 << 20;

/// Why a report was not read. The operator mends it.
#[derive(Debug, thiserror::Error)]
#[error("the report is refused at line {line}: {problem}")]
pub struct Refused {
    pub line: u64,
    pub problem: String,
}

/// What a line is for: a run, or where its tag of the generation is missing, an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tagged {
    pub agent: AgentId,
    pub generation: Option<Generation>,
}

/// What AWS bills for the machines of a tagged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billed {
    pub vcpu_hours: Decimal,
    pub gb_hours: Decimal,
    pub cost: Decimal,
    pub purchases: BTreeSet<Purchase>,
    pub owner: Option<UserId>,
}

impl Billed {
    pub(super) fn is_nothing(&self) -> bool {
        [self.vcpu_hours, self.gb_hours, self.cost].iter().all(|part| *part == Decimal::default())
    }

    /// With what another one bills.
    pub(super) fn add(&mut self, other: Self) {
        self.vcpu_hours += other.vcpu_hours;
        self.gb_hours += other.gb_hours;
        self.cost += other.cost;
        self.purchases.extend(other.purchases);
        self.owner = self.owner.or(other.owner);
    }
}

/// Lines that were not compared, and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Apart {
    pub lines: u64,
    pub cost: Decimal,
}

impl Apart {
    fn add(&mut self, cost: Decimal) {
        self.lines += 1;
        self.cost += cost;
    }
}

/// A month of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub month: Month,
    /// Machines that carry our tags.
    pub runs: BTreeMap<Tagged, Billed>,
    /// What else carries them, by product, type of use and of line: the meter
    /// does not hold it.
    pub unmetered: BTreeMap<String, Apart>,
    /// Fargate's machines without our tags: another's, or of a time when the tags
    /// were not active yet.
    pub untagged: Apart,
    /// Lines of other months.
    pub elsewhere: u64,
    /// The end of the last use of a Fargate machine, anybody's: how far it goes.
    pub until: Option<Timestamp>,
}

impl Bill {
    pub fn read(report: impl Read, month: Month) -> Result<Self, Refused> {
        let guard = Guard { left: Rc::new(Cell::new(RECORD_MAX)), quotes: Rc::default() };
        let mut reader = csv::Reader::from_reader(Guarded { report, guard: guard.clone(), begun: false });
        let columns = match reader.headers() {
            Ok(names) => Columns::of(names).map_err(|problem| Refused { line: 1, problem })?,
            Err(error) => return Err(refused(&error, 1)),
        };
        // The second half of a CRLF is read, and its line counted, with the record after it.
        let behind = 2u64.saturating_sub(reader.position().line());
        let mut bill = Self {
            month,
            runs: BTreeMap::new(),
            unmetered: BTreeMap::new(),
            untagged: Apart::default(),
            elsewhere: 0,
            until: None,
        };
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line() + behind;
            // What the reader has taken ahead is part of the room, too.
            guard.left.set(RECORD_MAX);
            if !reader.read_record(&mut record).map_err(|error| refused(&error, line))? {
                break;
            }
            let item = columns.read(&record);
            item.and_then(|item| bill.take(item)).map_err(|problem| Refused { line, problem })?;
        }
        if guard.quotes.get() {
            let problem = "it ends within quotation marks".to_owned();
            return Err(Refused { line: reader.position().line(), problem });
        }
        Ok(bill)
    }

    fn take(&mut self, item: LineItem<'_>) -> Result<(), String> {
        if item.start.month() != self.month {
            self.elsewhere += 1;
            return Ok(());
        }
        let machine = item.machine();
        if machine.is_some() {
            self.until = self.until.max(Some(item.end));
        }
        let Some(tagged) = item.tagged()? else {
            if machine.is_some() {
                self.untagged.add(item.cost);
            }
            return Ok(());
        };
        let Some((part, purchase)) = machine else {
            let name = format!("{} {} ({})", item.product, item.usage_type, item.line_type);
            self.unmetered.entry(name).or_default().add(item.cost);
            return Ok(());
        };
        let mut billed = Billed { cost: item.cost, owner: item.owner()?, ..Billed::default() };
        billed.purchases.insert(purchase);
        match part {
            columns::Part::Vcpu => billed.vcpu_hours = item.amount,
            columns::Part::Memory => billed.gb_hours = item.amount,
        }
        self.runs.entry(tagged).or_default().add(billed);
        Ok(())
    }
}

fn refused(error: &csv::Error, line: u64) -> Refused {
    let problem = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "its text is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields in the place of {expected_len}: is a quotation mark not closed?")
        }
        _ => error.to_string(),
    };
    Refused { line, problem }
}

/// What the reader of records is held to: it would itself take any file as one
/// field, if only it began with a quotation mark.
#[derive(Clone)]
struct Guard {
    left: Rc<Cell<usize>>,
    /// Whether the marks so far are odd: within a field that is quoted.
    quotes: Rc<Cell<bool>>,
}

struct Guarded<R> {
    report: R,
    guard: Guard,
    begun: bool,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let no = |problem: &str| Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        let count = self.report.read(buffer)?;
        let bytes = &buffer[..count];
        if !std::mem::replace(&mut self.begun, true) {
            if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK") {
                return no("it is compressed: unpack it first");
            }
            if bytes.starts_with(b"PAR1") {
                return no("it is Parquet: have it delivered as CSV");
            }
        }
        let marks = bytes.iter().filter(|byte| **byte == b'"').count();
        self.guard.quotes.set(self.guard.quotes.get() ^ (marks % 2 == 1));
        match self.guard.left.get().checked_sub(count) {
            Some(left) => self.guard.left.set(left),
            None => return no("it has more than a mebibyte: is a quotation mark not closed?"),
        }
        Ok(count)
    }
}
