//! The rollups against the segments they were made from.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{InstanceId, UserId};
use domain::time::Month;
use domain::usage::{Amount, Line, Of};

use crate::error::Result;
use crate::store::Shard;
use crate::store::usage::{Book, View, lines};

use super::{PAGE, Spend, end, fold, read};

/// Passes over a month while others write to it.
const PASSES: u32 = 8;

/// A line that is not what its segments come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    pub book: Book,
    pub line: Line,
    pub kept: Amount,
    pub rebuilt: Amount,
}

/// What a month's books came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub month: Month,
    pub segments: usize,
    /// By the segments.
    pub total: Amount,
    pub differences: Vec<Difference>,
}

type Kept = BTreeMap<(Book, Line), Amount>;

impl Spend {
    /// Folds what waits, then rebuilds a month from its segments and compares,
    /// to the nano-dollar and the millisecond.
    pub async fn verify(&self, month: Month) -> Result<Verified> {
        fold(&*self.store).await?;
        let mut before: Option<Verified> = None;
        for _ in 0..PASSES {
            let found = self.pass(month).await?;
            // What a running server folds while it is read differs once, and
            // otherwise the next time.
            if found.differences.is_empty() || before.as_ref() == Some(&found) {
                return Ok(found);
            }
            before = Some(found);
        }
        Err(crate::error::Error::Contended)
    }

    async fn pass(&self, month: Month) -> Result<Verified> {
        let mut verified = Verified { month, segments: 0, total: Amount::default(), differences: Vec::new() };
        // A shard at a time: what is rebuilt is held in memory.
        for shard in Shard::all() {
            let (rebuilt, segments) = self.rebuilt(month, shard).await?;
            verified.segments += segments;
            let months = rebuilt
                .iter()
                .filter(|((book, line), _)| matches!((book, line.of), (Book::Fleet(_), Of::Agent(_))));
            verified.total += months.map(|(_, amount)| *amount).sum();
            let kept = self.kept(month, shard, &rebuilt).await?;
            let keys: BTreeSet<_> = kept.keys().chain(rebuilt.keys()).copied().collect();
            verified.differences.extend(keys.into_iter().filter_map(|key| {
                let amount = |sums: &Kept| sums.get(&key).copied().unwrap_or_default();
                let (kept, rebuilt) = (amount(&kept), amount(&rebuilt));
                let (book, line) = key;
                (kept != rebuilt).then_some(Difference { book, line, kept, rebuilt })
            }));
        }
        Ok(verified)
    }

    async fn rebuilt(&self, month: Month, shard: Shard) -> Result<(Kept, usize)> {
        let (mut sums, mut count, mut after) = (Kept::new(), 0, None);
        let waiting = self.store.unfolded(shard, PAGE).await?;
        loop {
            let segments = self.store.segments_in(month, shard, after, PAGE).await?;
            let Some(last) = segments.last() else { return Ok((sums, count)) };
            after = Some(InstanceId { agent: last.agent, generation: last.generation });
            count += segments.len();
            for segment in &segments {
                let days = segment.days(end(segment));
                // What is folded in part only, because it closed just now.
                let partly = waiting.iter().find(|unfolded| unfolded.segment == *segment);
                let until = partly.and_then(|unfolded| unfolded.folded_until);
                let last = until.map_or(*days.end(), |until| domain::time::Day(until.0 - 1));
                for (book, line, amount) in lines(segment, *days.start(), last, month) {
                    *sums.entry((book, line)).or_default() += amount;
                }
            }
        }
    }

    /// The lines that a shard's agents have: in the fleet's part of it, and in
    /// the books of all owners that part or the rebuilt one names.
    async fn kept(&self, month: Month, shard: Shard, rebuilt: &Kept) -> Result<Kept> {
        let mut kept = Kept::new();
        let mut owners: BTreeSet<UserId> = BTreeSet::new();
        let mut owner = |line: &Line| {
            if let Of::Owner(owner) = line.of {
                owners.insert(owner);
            }
        };
        rebuilt.keys().for_each(|(_, line)| owner(line));
        let fleet = Book::Fleet(shard.0);
        for view in [View::AllHours, View::Days, View::Agents, View::Owners] {
            for (line, amount) in read(&*self.store, fleet, month, view).await? {
                owner(&line);
                kept.insert((fleet, line), amount);
            }
        }
        for book in owners.into_iter().map(Book::Owner) {
            for view in [View::AllHours, View::Days, View::Agents] {
                for (line, amount) in read(&*self.store, book, month, view).await? {
                    let (Of::Hour(_, Some(agent)) | Of::Day(_, Some(agent)) | Of::Agent(agent)) = line.of
                    else {
                        continue;
                    };
                    if Shard::of(agent) == shard {
                        kept.insert((book, line), amount);
                    }
                }
            }
        }
        Ok(kept)
    }
}
