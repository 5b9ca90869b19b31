//! What it all costs: this month so far by day, agent and owner, read from
//! rollups, with what still waits to be folded into them and what the running
//! meters show. Rebuilding the rollups is [`Spend::verify`].

mod beside;
mod bill;
mod export;
mod fold;
#[cfg(test)]
mod properties;
mod reconcile;
mod report;
#[cfg(test)]
mod tests;
mod users;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::agent::Agent;
use domain::id::{AgentId, Generation, UserId};
use domain::metering::Segment;
use domain::spend::{Installation, Upkeep};
use domain::time::{Day, Month, Timestamp};
use domain::usage::{Amount, Line};

use crate::audit::Audit;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ledger;
use crate::prices::Prices;
use crate::store::usage::{Book, Unfolded, View, lines_until};
use crate::store::{Shard, Store, agents_of};

pub use beside::{Beside, Differs, Gap, Ran};
pub use bill::{Apart, Bill, Billed, Decimal, Refused, Tagged};
pub use export::{Each, Row};
pub(crate) use fold::{fold, fold_of};
pub use reconcile::{Metered, Mismatch, Reconciled, What};
pub use verify::{Difference, Verified};

/// Rows read at once.
const PAGE: u16 = 1000;
/// How often a reading is made anew because segments were folded meanwhile.
const TRIES: u32 = 8;
/// Longer before each of them.
const PAUSE: Duration = Duration::from_millis(20);

/// A month's lines of one view, in their order.
pub type Lines = BTreeMap<Line, Amount>;

/// The books of what was spent.
pub struct Spend {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    audit: Audit,
    upkeep: Option<(Installation, Prices)>,
    /// Whose list tells since when everybody's agents are there.
    list: Option<Arc<ledger::Ledger>>,
    users: users::OfFleet,
}

/// Whose lines are read.
#[derive(Clone, Copy)]
enum Whose {
    Owner(UserId),
    Fleet,
}

impl Whose {
    fn books(self) -> Vec<Book> {
        match self {
            Self::Owner(owner) => vec![Book::Owner(owner)],
            Self::Fleet => Book::fleet().collect(),
        }
    }
}

impl Spend {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let audit = Audit::new(Arc::clone(&store), Arc::clone(&clock));
        Self { store, clock, audit, upkeep: None, list: None, users: users::OfFleet::default() }
    }

    /// With what the installation costs besides its agents.
    pub(crate) fn with_upkeep(self, installation: Installation, prices: Prices) -> Self {
        Self { upkeep: Some((installation, prices)), ..self }
    }

    /// With the list of everybody's agents.
    pub(crate) fn with_list(self, ledger: Arc<ledger::Ledger>) -> Self {
        Self { list: Some(ledger), ..self }
    }

    /// What it costs of a month, day by day until now; nothing of a past one in
    /// which nothing ran, for the installation may not have been there.
    fn upkeep(&self, month: Month, ran: bool) -> Vec<(Day, Upkeep)> {
        let now = self.clock.now();
        match &self.upkeep {
            Some((installation, prices)) if ran || month == now.month() => {
                installation.days(month, now, |day| prices.at(day.start()))
            }
            _ => Vec::new(),
        }
    }

    /// Tells in another log than its own store's.
    pub(crate) fn telling(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    /// The month now is in.
    pub fn this_month(&self) -> Month {
        self.clock.now().month()
    }

    /// One owner's month, up to now.
    async fn of(&self, owner: UserId, month: Month, view: View) -> Result<Lines> {
        let (_, [lines]) = self.read(Whose::Owner(owner), month, [view]).await?;
        Ok(lines)
    }

    /// Everybody's month, up to now.
    async fn fleet(&self, month: Month, view: View) -> Result<Lines> {
        let (_, [lines]) = self.read(Whose::Fleet, month, [view]).await?;
        Ok(lines)
    }

    /// What each owner's month came to so far.
    pub(crate) async fn owners_of_fleet(&self, month: Month) -> Result<Lines> {
        self.fleet(month, View::Owners).await
    }

    /// Some views of a month, all of one instant, and which that is.
    ///
    /// # Errors
    /// [`Error::Contended`] as [`Spend::lines`].
    async fn read<const N: usize>(
        &self,
        whose: Whose,
        month: Month,
        views: [View; N],
    ) -> Result<(Timestamp, [Lines; N])> {
        let books = whose.books();
        let asked: Vec<_> = books.iter().flat_map(|book| views.map(|view| (*book, view))).collect();
        let (now, lines) = self.lines(whose, month, &asked).await?;
        let mut sums = std::array::from_fn(|_| Lines::new());
        for (index, lines) in lines.into_iter().enumerate() {
            for (line, amount) in lines {
                *sums[index % N].entry(line).or_default() += amount;
            }
        }
        Ok((now, sums))
    }

    /// Views of some of these books, all of one instant, and which that is. What
    /// runs and what waits is asked once for all of them.
    ///
    /// # Errors
    /// [`Error::Contended`] when segments were folded meanwhile at each of the
    /// tries: some books would have them and others not.
    async fn lines(
        &self,
        whose: Whose,
        month: Month,
        asked: &[(Book, View)],
    ) -> Result<(Timestamp, Vec<Lines>)> {
        for tried in 0..TRIES {
            if tried > 0 {
                tokio::time::sleep(PAUSE * tried).await;
            }
            let before = self.waiting().await?;
            let mut sums = Vec::with_capacity(asked.len());
            for (book, view) in asked {
                let lines = read(&*self.store, *book, month, *view).await?;
                sums.push(lines.into_iter().collect::<Lines>());
            }
            // After the books: of what runs now nothing can be in them.
            let open = self.open(whose).await?;
            let waiting = self.waiting().await?;
            if folded_between(&before, &waiting) {
                continue;
            }
            let closed: BTreeSet<_> = waiting.iter().map(|unfolded| run(&unfolded.segment)).collect();
            let now = self.clock.now();
            let running = open.iter().filter(|segment| !closed.contains(&run(segment)));
            let running = running.flat_map(|segment| {
                let days = segment.days(now);
                lines_until(segment, *days.start(), *days.end(), month, now)
            });
            let rest = waiting.iter().flat_map(|unfolded| unfolded.rest(month));
            let mut wanted: BTreeMap<Book, Vec<usize>> = BTreeMap::new();
            for (index, (book, _)) in asked.iter().enumerate() {
                wanted.entry(*book).or_default().push(index);
            }
            for (book, line, amount) in rest.chain(running) {
                for index in wanted.get(&book).into_iter().flatten() {
                    if asked[*index].1.shows(&line) {
                        *sums[*index].entry(line).or_default() += amount;
                    }
                }
            }
            return Ok((now, sums));
        }
        Err(Error::Contended)
    }

    /// Segments whose meter runs.
    async fn open(&self, whose: Whose) -> Result<Vec<Segment>> {
        if let Whose::Owner(owner) = whose {
            return Ok(agents_of(&*self.store, owner)
                .await?
                .iter()
                .filter_map(Agent::open_segment)
                .collect());
        }
        let mut segments = Vec::new();
        for shard in Shard::all() {
            let mut after = None;
            loop {
                let agents = self.store.awake(shard, after, PAGE).await?;
                let Some(last) = agents.last() else { break };
                after = Some(last.id);
                segments.extend(agents.iter().filter_map(Agent::open_segment));
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

/// Whether any of what waited went into the rollups, or more of it: what was read
/// of them in between may have it or not.
fn folded_between(before: &[Unfolded], after: &[Unfolded]) -> bool {
    let far = |all: &[Unfolded]| -> BTreeMap<_, _> {
        all.iter().map(|unfolded| (run(&unfolded.segment), unfolded.folded_until)).collect()
    };
    let (before, after) = (far(before), far(after));
    // One that has ended since waits whole, and is in no book.
    before.iter().any(|(run, until)| after.get(run) != Some(until))
        || after.iter().any(|(run, until)| until.is_some() && !before.contains_key(run))
}

fn run(segment: &Segment) -> (AgentId, Generation) {
    (segment.agent, segment.generation)
}

/// The last instant that counts of a segment that has ended.
fn end(segment: &Segment) -> Timestamp {
    segment.ended_at.unwrap_or(segment.started_at)
}
