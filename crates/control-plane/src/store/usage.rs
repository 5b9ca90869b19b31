//! Usage in the ledger: what closed segments came to, in lines that are added
//! to exactly once.

use std::collections::BTreeMap;

use domain::id::{AgentId, UserId};
use domain::metering::Segment;
use domain::time::{Day, Month};
use domain::usage::{Amount, Line, Of};

use super::Shard;

/// Whose lines are kept together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Book {
    /// One person's, by agent.
    Owner(UserId),
    /// Everybody's, in as many parts as there are shards, so that none is hot.
    Fleet(u8),
}

impl Book {
    /// The fleet's part that an agent's usage goes to.
    pub fn of(agent: AgentId) -> Self {
        Self::Fleet(Shard::of(agent).0)
    }

    /// All parts of the fleet's.
    pub fn fleet() -> impl Iterator<Item = Self> {
        Shard::all().map(|shard| Self::Fleet(shard.0))
    }
}

/// Which lines of a book are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Of one day.
    Hours(Day),
    /// Of the whole month.
    AllHours,
    Days,
    /// Each agent's month.
    Agents,
    /// Each owner's month; in the fleet's books only.
    Owners,
}

impl View {
    /// Whether it is one of them.
    pub fn shows(self, line: &Line) -> bool {
        match (self, line.of) {
            (Self::Hours(day), Of::Hour(hour, _)) => hour.day() == day,
            (Self::AllHours, Of::Hour(..)) => true,
            (Self::Days, Of::Day(..)) => true,
            (Self::Agents, Of::Agent(_)) => true,
            (Self::Owners, Of::Owner(_)) => true,
            _ => false,
        }
    }

    /// What such lines begin with.
    pub(super) fn prefix(self) -> String {
        match self {
            Self::Hours(day) => format!("hour#{day}T"),
            Self::AllHours => "hour#".to_owned(),
            Self::Days => "day#".to_owned(),
            Self::Agents => "agent#".to_owned(),
            Self::Owners => "owner#".to_owned(),
        }
    }

    /// From the first such text to the last, after a line.
    pub(super) fn span(self, after: Option<&Line>) -> (String, String) {
        let prefix = self.prefix();
        let last = format!("{prefix}~");
        (after.map_or(prefix, |line| format!("{line}!")), last)
    }
}

/// A closed segment that is not in the rollups yet, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfolded {
    pub segment: Segment,
    /// What was before this day is in them.
    pub folded_until: Option<Day>,
}

impl Unfolded {
    /// The next day's part.
    pub fn next(&self) -> Fold {
        let first = *self.segment.days(self.segment.started_at).start();
        let day = self.folded_until.map_or(first, |until| until.max(first));
        Fold { segment: self.segment.clone(), from: self.folded_until, day }
    }

    /// After that part was folded; `None` when it was the last.
    pub fn after(self, fold: &Fold) -> Option<Self> {
        (!fold.is_last()).then(|| Self { folded_until: Some(fold.day.next()), ..self })
    }

    /// The lines that it still has to add to a month, which ends before `until`.
    pub fn rest(&self, month: Month) -> Vec<(Book, Line, Amount)> {
        let end = self.segment.ended_at.unwrap_or(self.segment.started_at);
        let days = self.segment.days(end);
        let first = self.folded_until.map_or(*days.start(), |until| until.max(*days.start()));
        lines(&self.segment, first, *days.end(), month)
    }
}

/// One day's part of a closed segment, to be added to the rollups: so much fits
/// in one transaction, however long the segment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    pub segment: Segment,
    /// How far the ledger must have come for this to be added.
    pub from: Option<Day>,
    pub day: Day,
}

impl Fold {
    /// Whether nothing of the segment is left then.
    pub fn is_last(&self) -> bool {
        let end = self.segment.ended_at.unwrap_or(self.segment.started_at);
        self.day >= *self.segment.days(end).end()
    }

    pub fn month(&self) -> Month {
        self.day.month()
    }

    /// What it adds: two lines an hour, five for the day and the month; 53 at most.
    pub fn lines(&self) -> Vec<(Book, Line, Amount)> {
        lines(&self.segment, self.day, self.day, self.month())
    }
}

/// What a closed segment's days from `first` to `last` add to a month.
pub fn lines(segment: &Segment, first: Day, last: Day, month: Month) -> Vec<(Book, Line, Amount)> {
    lines_until(segment, first, last, month, segment.ended_at.unwrap_or(segment.started_at))
}

/// The same of a segment that may still run, up to `now`.
pub fn lines_until(
    segment: &Segment,
    first: Day,
    last: Day,
    month: Month,
    now: domain::time::Timestamp,
) -> Vec<(Book, Line, Amount)> {
    let (own, fleet) = (Book::Owner(segment.owner), Book::of(segment.agent));
    let kind = segment.kind();
    let mut sums: BTreeMap<(Book, Line), Amount> = BTreeMap::new();
    let first = first.max(month.start().day());
    let last = last.0.min(month.next().start().day().0 - 1);
    for day in (first.0..=last).map(Day) {
        for (hour, amount) in segment.hours(day, now) {
            let of = [
                (own, Of::Hour(hour, Some(segment.agent))),
                (own, Of::Day(day, Some(segment.agent))),
                (own, Of::Agent(segment.agent)),
                (fleet, Of::Hour(hour, None)),
                (fleet, Of::Day(day, None)),
                (fleet, Of::Agent(segment.agent)),
                (fleet, Of::Owner(segment.owner)),
            ];
            for (book, of) in of {
                *sums.entry((book, Line { of, kind })).or_default() += amount;
            }
        }
    }
    sums.into_iter().map(|((book, line), amount)| (book, line, amount)).collect()
}
