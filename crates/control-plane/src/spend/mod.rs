//! What it all costs: this month so far by day, agent and owner, read from
//! rollups, with what still waits to be folded into them and what the running
//! meters show. Rebuilding the rollups is [`Spend::verify`].

mod fold;
#[cfg(test)]
mod tests;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::id::UserId;
use domain::metering::Segment;
use domain::time::{Month, Timestamp};
use domain::usage::{Amount, Line};

use crate::clock::Clock;
use crate::error::Result;
use crate::identity::Principal;
use crate::store::usage::{Book, Unfolded, View, lines_until};
use crate::store::{Shard, Store};

pub(crate) use fold::fold;
pub use verify::{Difference, Verified};

/// Rows read at once.
const PAGE: u16 = 1000;
/// How often a reading is made anew because segments were folded meanwhile.
const TRIES: u32 = 4;

/// A month's lines of one view, in their order.
pub type Lines = BTreeMap<Line, Amount>;

/// The books of what was spent.
pub struct Spend {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone, Copy)]
enum Scope {
    Owner(UserId),
    Fleet,
}

impl Scope {
    fn books(self) -> Vec<Book> {
        match self {
            Self::Owner(owner) => vec![Book::Owner(owner)],
            Self::Fleet => Book::fleet().collect(),
        }
    }

    fn holds(self, book: Book) -> bool {
        match self {
            Self::Owner(owner) => book == Book::Owner(owner),
            Self::Fleet => matches!(book, Book::Fleet(_)),
        }
    }
}

impl Spend {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// The month now is in.
    pub fn this_month(&self) -> Month {
        self.clock.now().month()
    }

    /// The caller's own month, up to now.
    pub async fn own(&self, who: &Principal, month: Month, view: View) -> Result<Lines> {
        self.lines(Scope::Owner(who.user), month, view).await
    }

    /// One owner's month, up to now, for the operator.
    pub async fn of(&self, owner: UserId, month: Month, view: View) -> Result<Lines> {
        self.lines(Scope::Owner(owner), month, view).await
    }

    /// Everybody's month, up to now, for the operator.
    pub async fn fleet(&self, month: Month, view: View) -> Result<Lines> {
        self.lines(Scope::Fleet, month, view).await
    }

    async fn lines(&self, scope: Scope, month: Month, view: View) -> Result<Lines> {
        let mut tries = 0;
        loop {
            let open = self.open(scope).await?;
            let waiting = self.waiting().await?;
            let mut sums = Lines::new();
            for book in scope.books() {
                for (line, amount) in read(&*self.store, book, month, view).await? {
                    *sums.entry(line).or_default() += amount;
                }
            }
            tries += 1;
            // What was folded in between would be counted twice.
            if self.waiting().await? != waiting && tries < TRIES {
                continue;
            }
            let closed = |segment: &Segment| {
                let same = |unfolded: &Unfolded| {
                    (unfolded.segment.agent, unfolded.segment.generation)
                        == (segment.agent, segment.generation)
                };
                waiting.iter().any(same)
            };
            let now = self.clock.now();
            let running = open.iter().filter(|segment| !closed(segment)).flat_map(|segment| {
                let days = segment.days(now);
                lines_until(segment, *days.start(), *days.end(), month, now)
            });
            let rest = waiting.iter().flat_map(|unfolded| unfolded.rest(month));
            for (book, line, amount) in rest.chain(running) {
                if scope.holds(book) && view.shows(&line) {
                    *sums.entry(line).or_default() += amount;
                }
            }
            return Ok(sums);
        }
    }

    /// Segments whose meter runs.
    async fn open(&self, scope: Scope) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        let shards: Vec<Option<Shard>> = match scope {
            Scope::Owner(_) => vec![None],
            Scope::Fleet => Shard::all().map(Some).collect(),
        };
        for shard in shards {
            let mut after = None;
            loop {
                let agents = match (scope, shard) {
                    (Scope::Owner(owner), _) => self.store.agents_of(owner, after, PAGE).await?,
                    (_, Some(shard)) => self.store.metered(shard, after, PAGE).await?,
                    (Scope::Fleet, None) => Vec::new(),
                };
                let Some(last) = agents.last() else { break };
                after = Some(last.id);
                segments.extend(agents.iter().filter_map(|agent| agent.open_segment()));
            }
        }
        Ok(segments)
    }

    /// What is not in the rollups yet.
    async fn waiting(&self) -> Result<Vec<Unfolded>> {
        let mut all = Vec::new();
        for shard in Shard::all() {
            all.extend(self.store.unfolded(shard, PAGE).await?);
        }
        Ok(all)
    }
}

/// All of a view's lines in one book.
async fn read(store: &dyn Store, book: Book, month: Month, view: View) -> Result<Vec<(Line, Amount)>> {
    let mut lines: Vec<(Line, Amount)> = Vec::new();
    loop {
        let after = lines.last().map(|(line, _)| *line);
        let page = store.usage(book, month, view, after, PAGE).await?;
        let ended = page.len() < usize::from(PAGE);
        lines.extend(page);
        if ended {
            return Ok(lines);
        }
    }
}

/// The last instant that counts of a segment that has ended.
fn end(segment: &Segment) -> Timestamp {
    segment.ended_at.unwrap_or(segment.started_at)
}
