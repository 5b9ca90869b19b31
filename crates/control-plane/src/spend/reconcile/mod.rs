//! The ledger against AWS's own bill, run by run.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::agent::ProviderName;
use domain::id::InstanceId;
use domain::metering::Segment;
use domain::money::NanoDollars;
use domain::price::Purchase;
use domain::time::{Month, Timestamp};

use super::bill::{Bill, Billed, Tagged};
use super::{PAGE, Spend, Whose, fold};
use crate::error::Result;
use crate::store::Shard;

/// AWS counts whole seconds, and cuts a run at hours and months in its own way:
/// what is less than this of a run is its rounding.
const ROUNDING: Duration = Duration::from_secs(1);
/// Of an hour of one vCPU, in thousandths of a vCPU and milliseconds.
const VCPU_HOUR: u32 = 3_600_000 * 1000;
/// Of an hour of one GB, in MiB and milliseconds.
const GB_HOUR: u32 = 3_600_000 * 1024;

/// What the ledger has of a tagged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metered {
    pub runs: u32,
    /// As it is billed: whole seconds, a minute at least.
    pub time: Duration,
    pub cost: NanoDollars,
    pub purchases: BTreeSet<Purchase>,
    /// Time times size, in [`VCPU_HOUR`]s and [`GB_HOUR`]s.
    vcpu: i128,
    memory: i128,
}

impl Metered {
    fn of(segment: &Segment, from: Timestamp, to: Timestamp) -> Self {
        let (time, cost) = segment.billed(from, to);
        let of = |size: u32| i128::from(size) * time.as_millis().cast_signed();
        Self {
            runs: 1,
            time,
            cost,
            purchases: BTreeSet::from([segment.price.purchase]),
            vcpu: of(segment.size.cpu_millis()),
            memory: of(segment.size.memory_mib()),
        }
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.time += other.time;
        self.cost += other.cost;
        self.purchases.extend(other.purchases);
        self.vcpu += other.vcpu;
        self.memory += other.memory;
    }

    /// How long it ran by the bill: by its vCPU-hours, and by its GB-hours.
    fn by_bill(&self, billed: &Billed) -> (i128, i128) {
        let ms = |units: i128, of: i128| units * self.ms() / of.max(1);
        (ms(billed.vcpu_hours.times(VCPU_HOUR), self.vcpu), ms(billed.gb_hours.times(GB_HOUR), self.memory))
    }

    fn ms(&self) -> i128 {
        self.time.as_millis().cast_signed()
    }

    /// The first thing in which the two differ.
    fn against(&self, billed: &Billed, tolerance: NanoDollars) -> Option<What> {
        let rounding = ROUNDING.as_millis().cast_signed() * i128::from(self.runs);
        let (vcpu, memory) = self.by_bill(billed);
        if [vcpu, memory].iter().any(|ms| (ms - self.ms()).abs() >= rounding) {
            return Some(What::Time);
        }
        // At the ledger's price, the time that the bill has.
        let owed = i128::from(self.cost.0) * vcpu / self.ms().max(1);
        let beyond = (i128::from(billed.cost.dollars().0) - owed).abs() > i128::from(tolerance.0);
        beyond.then_some(What::Price)
    }
}

/// In what ledger and bill differ, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Something ran that no meter counted.
    OnlyInBill,
    OnlyInLedger,
    Time,
    /// The time is the same, and costs something else.
    Price,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub tagged: Tagged,
    pub what: What,
    /// Nothing where only the other has it.
    pub ledger: Metered,
    pub bill: Billed,
}

impl Mismatch {
    /// Dollars by which the bill is above the ledger.
    pub fn excess(&self) -> NanoDollars {
        self.bill.cost.dollars() - self.ledger.cost
    }

    /// How long it ran by the bill's vCPU-hours, and by its GB-hours, at the size
    /// that the ledger knows.
    pub fn billed_time(&self) -> [Duration; 2] {
        let (vcpu, memory) = self.ledger.by_bill(&self.bill);
        [vcpu, memory].map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }
}

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    pub month: Month,
    /// Up to where: the month's end, or where the report of a month that is not
    /// over ends.
    pub until: Timestamp,
    pub ledger: Metered,
    pub bill: Billed,
    pub mismatches: Vec<Mismatch>,
}

type Ledger = BTreeMap<InstanceId, Metered>;

impl Spend {
    /// Compares a month of AWS's bill with what the ledger has of Fargate.
    pub async fn reconcile(&self, bill: &Bill, tolerance: NanoDollars) -> Result<Reconciled> {
        let end = bill.month.next().start();
        let now = self.clock.now();
        // A report is hours behind: what it can't know yet is no difference.
        let until = if now >= end { end } else { bill.until.map_or(now, |until| until.min(now)) };
        let ledger = self.metered(bill.month, until).await?;
        Ok(compare(bill, ledger, until, tolerance))
    }

    async fn metered(&self, month: Month, until: Timestamp) -> Result<Ledger> {
        let mut runs = Ledger::new();
        let mut take = |segment: &Segment| {
            let metered = Metered::of(segment, month.start(), until);
            if segment.provider == ProviderName::Fargate && !metered.time.is_zero() {
                runs.insert(instance(segment), metered);
            }
        };
        // What closes meanwhile is read again with what has closed.
        self.open(Whose::Fleet).await?.iter().for_each(&mut take);
        fold(&*self.store).await?;
        for shard in Shard::all() {
            let mut after = None;
            loop {
                let segments = self.store.segments_in(month, shard, after, PAGE).await?;
                let Some(last) = segments.last() else { break };
                after = Some(instance(last));
                segments.iter().for_each(&mut take);
            }
        }
        Ok(runs)
    }
}

fn instance(segment: &Segment) -> InstanceId {
    InstanceId { agent: segment.agent, generation: segment.generation }
}

fn compare(bill: &Bill, ledger: Ledger, until: Timestamp, tolerance: NanoDollars) -> Reconciled {
    // Of these some lines don't tell which run it was: all of theirs are one.
    let whole: BTreeSet<_> =
        bill.runs.keys().filter(|tagged| tagged.generation.is_none()).map(|tagged| tagged.agent).collect();
    let tagged = |tagged: Tagged| match whole.contains(&tagged.agent) {
        true => Tagged { generation: None, ..tagged },
        false => tagged,
    };
    let mut sides: BTreeMap<Tagged, (Metered, Billed)> = BTreeMap::new();
    let mut sums = (Metered::default(), Billed::default());
    for (InstanceId { agent, generation }, metered) in ledger {
        sums.0.add(metered.clone());
        let tagged = tagged(Tagged { agent, generation: Some(generation) });
        sides.entry(tagged).or_default().0.add(metered);
    }
    for (run, billed) in &bill.runs {
        sums.1.add(billed.clone());
        sides.entry(tagged(*run)).or_default().1.add(billed.clone());
    }
    let mut mismatches: Vec<Mismatch> = sides
        .into_iter()
        .filter_map(|(tagged, (ledger, bill))| {
            let what = match (ledger.runs > 0, !bill.is_nothing()) {
                (true, true) => ledger.against(&bill, tolerance)?,
                (false, true) => What::OnlyInBill,
                (true, false) if ledger.time >= ROUNDING => What::OnlyInLedger,
                _ => return None,
            };
            Some(Mismatch { tagged, what, ledger, bill })
        })
        .collect();
    let excess = |found: &Mismatch| Reverse(found.excess().0.unsigned_abs());
    mismatches.sort_by_key(|found| (found.what, excess(found), found.tagged));
    Reconciled { month: bill.month, until, ledger: sums.0, bill: sums.1, mismatches }
}
