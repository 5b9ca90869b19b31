//! The ledger against what a provider itself still tells of its runs, by the
//! provider's own instants.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::agent::ProviderName;
use domain::id::InstanceId;
use domain::metering::{Billing, Segment};
use domain::money::NanoDollars;
use domain::time::Timestamp;

use super::{Spend, Whose};
use crate::error::Result;
use crate::provider::witness::{Run, Witness};

/// What differs is looked at again so much later: an event may be on its way,
/// and the two are not read at one instant.
const AGAIN: Duration = Duration::from_secs(4);
/// Instants of one thing may differ by a millisecond: events and lists write
/// them in other forms.
const SAME_MS: u64 = 1;

/// In what ledger and provider differ, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Differs {
    /// It runs, or ran, and no segment is for it.
    Unmetered,
    /// It runs, and its segment has ended.
    RunsOn,
    /// Its segment is open, and nothing runs.
    NotThere,
    Start,
    Stop,
    /// It was bought in another way than it was priced.
    Purchase,
}

/// One difference. One of the two is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub differs: Differs,
    pub run: Option<Run>,
    pub segment: Option<Segment>,
}

impl Gap {
    /// Whether it is the same thing, told at another time.
    fn is(&self, other: &Self) -> bool {
        let name = |gap: &Self| {
            let segment = gap.segment.as_ref().map(instance);
            (gap.differs, gap.run.as_ref().map(|run| run.name.clone()), segment)
        };
        name(self) == name(other)
    }
}

/// Runs, and the time of them that is billed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ran {
    pub runs: usize,
    pub time: Duration,
}

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    pub provider: ProviderName,
    pub at: Timestamp,
    /// The earliest end that the provider still tells; nothing where it tells of
    /// no run that has ended.
    pub since: Option<Timestamp>,
    pub told: Ran,
    /// Of the segments that were compared, with what they cost.
    pub ledger: Ran,
    pub cost: NanoDollars,
    pub gaps: Vec<Gap>,
}

impl Spend {
    /// Compares what a provider still tells with the segments of it. Only what
    /// differs twice in a row is a difference.
    pub async fn beside(&self, witness: &dyn Witness) -> Result<Beside> {
        let first = self.look(witness).await?;
        if first.gaps.is_empty() {
            return Ok(first);
        }
        tokio::time::sleep(AGAIN).await;
        let mut second = self.look(witness).await?;
        second.gaps.retain(|gap| first.gaps.iter().any(|before| before.is(gap)));
        Ok(second)
    }

    async fn look(&self, witness: &dyn Witness) -> Result<Beside> {
        let runs = witness.runs().await?;
        let mut segments = BTreeMap::new();
        let mut take = |segment: Segment| {
            if segment.provider == witness.name() {
                segments.insert(instance(&segment), segment);
            }
        };
        self.open(Whose::Fleet).await?.into_iter().for_each(&mut take);
        let named: BTreeSet<InstanceId> = runs.iter().filter_map(|run| run.instance).collect();
        // Read after those that are open: what has closed meanwhile is taken as it is now.
        for InstanceId { agent, generation } in named {
            let before = Some(generation.next());
            let found = self.store.segments(agent, before, 1).await?;
            found.into_iter().filter(|segment| segment.generation == generation).for_each(&mut take);
        }
        Ok(compare(witness.name(), runs, segments, self.clock.now()))
    }
}

fn instance(segment: &Segment) -> InstanceId {
    InstanceId { agent: segment.agent, generation: segment.generation }
}

fn compare(
    provider: ProviderName,
    runs: Vec<Run>,
    segments: BTreeMap<InstanceId, Segment>,
    at: Timestamp,
) -> Beside {
    let since = runs.iter().filter_map(|run| run.ended_at).min();
    let (mut told, mut ledger, mut cost) = (Ran::default(), Ran::default(), NanoDollars::ZERO);
    let count = |ran: &mut Ran, started: Timestamp, ended: Option<Timestamp>| {
        let span = ended.unwrap_or(at).since(started);
        ran.runs += 1;
        ran.time += if ended.is_some() { Billing::of(provider).billed(span) } else { span };
    };
    runs.iter().for_each(|run| count(&mut told, run.started_at, run.ended_at));
    for segment in segments.values() {
        count(&mut ledger, segment.started_at, segment.ended_at);
        cost += segment.cost(at);
    }
    let mut gaps = Vec::new();
    let mut of_run: BTreeMap<InstanceId, Vec<Run>> = BTreeMap::new();
    for run in runs {
        match run.instance.filter(|instance| segments.contains_key(instance)) {
            Some(instance) => of_run.entry(instance).or_default().push(run),
            None => gaps.push(Gap { differs: Differs::Unmetered, run: Some(run), segment: None }),
        }
    }
    for (instance, segment) in segments {
        let mut machines = of_run.remove(&instance).unwrap_or_default();
        // A segment is for one machine: the one that began when it did.
        machines.sort_by_key(|run| run.started_at.0.abs_diff(segment.started_at.0));
        let mut machines = machines.into_iter();
        let (run, others) = (machines.next(), machines);
        gaps.extend(others.map(|run| Gap { differs: Differs::Unmetered, run: Some(run), segment: None }));
        gaps.extend(differences(run.as_ref(), &segment).into_iter().map(|differs| Gap {
            differs,
            run: run.clone(),
            segment: Some(segment.clone()),
        }));
    }
    gaps.sort_by_key(|gap| (gap.differs, gap.run.as_ref().map(|run| run.started_at)));
    Beside { provider, at, since, told, ledger, cost, gaps }
}

fn differences(run: Option<&Run>, segment: &Segment) -> Vec<Differs> {
    // What the provider has forgotten has ended; a segment that has, too, is no more to be compared.
    let Some(run) = run else {
        return if segment.ended_at.is_none() { vec![Differs::NotThere] } else { Vec::new() };
    };
    let other = |a: Timestamp, b: Timestamp| a.0.abs_diff(b.0) > SAME_MS;
    let start = other(run.started_at, segment.started_at).then_some(Differs::Start);
    let stop = match (run.ended_at, segment.ended_at) {
        (None, Some(_)) => Some(Differs::RunsOn),
        (Some(_), None) => Some(Differs::NotThere),
        (Some(ran), Some(metered)) if other(ran, metered) => Some(Differs::Stop),
        _ => None,
    };
    let bought = run.purchase.filter(|bought| *bought != segment.price.purchase).map(|_| Differs::Purchase);
    [start, stop, bought].into_iter().flatten().collect()
}

impl Gap {
    /// The run that it is about, by agent and generation.
    pub fn instance(&self) -> Option<InstanceId> {
        self.segment.as_ref().map(instance).or_else(|| self.run.as_ref()?.instance)
    }

    /// Time that is billed and in no segment, or in one and not billed.
    pub fn time(&self, provider: ProviderName, at: Timestamp) -> Duration {
        let span = |started: Timestamp, ended: Option<Timestamp>| ended.unwrap_or(at).since(started);
        let billed = |span: Duration| Billing::of(provider).billed(span);
        let ran = self.run.as_ref().map(|run| billed(span(run.started_at, run.ended_at)));
        let metered = self.segment.as_ref().map(|segment| billed(span(segment.started_at, segment.ended_at)));
        ran.unwrap_or_default().abs_diff(metered.unwrap_or_default())
    }
}
