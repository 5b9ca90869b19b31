//! Rollups of closed segments. A fold is one transaction: the segment's mark,
//! by whose condition it is done once, and what it adds.

use std::collections::HashMap;

use domain::id::{Generation, InstanceId};
use domain::metering::Segment;
use domain::money::NanoDollars;
use domain::time::{Day, Month};
use domain::usage::{Amount, Line};

use crate::store::usage::{Book, Fold, Unfolded, View};
use crate::store::{Result, Shard};

use super::item::{Item, from_json, illegible, item, n, number, parsed, text};
use super::key::{self, Key, Span};
use super::read::{Db, Order};
use super::tables::{PARTITION, RANGE};
use super::transact::{Outcome, Transaction};

pub(super) async fn unfolded(db: &Db, shard: Shard, limit: u16) -> Result<Vec<Unfolded>> {
    let found = segments(db, &key::all_to_fold(shard), limit).await?;
    let read = |item: Item| {
        let folded_until =
            item.contains_key("folded_until").then(|| number(&item, "folded_until").map(Day)).transpose()?;
        Ok(Unfolded { segment: from_json(&item, "segment")?, folded_until })
    };
    found.into_iter().map(read).collect()
}

pub(super) async fn fold(db: &Db, fold: &Fold) -> Result<bool> {
    let Segment { agent, generation, .. } = fold.segment;
    let mut writes = Transaction::new(db);
    let (mark, until) = (key::segment(agent, generation), n(fold.day.next().0));
    let set = "SET folded_until = :until";
    match fold.from {
        Some(from) => {
            let values = [(":until", until), (":from", n(from.0))];
            writes.update_if(&mark, set, "folded_until = :from", values, ());
        }
        None => {
            let fresh = "attribute_exists(ended_at) AND attribute_not_exists(folded_until)";
            writes.update_if(&mark, set, fresh, [(":until", until)], ());
        }
    }
    for (book, line, amount) in fold.lines() {
        let values = [(":cost", n(amount.cost.0)), (":ms", n(amount.awake_ms))];
        writes.update(&key::usage(book, fold.month(), &line), "ADD cost :cost, awake_ms :ms", values);
    }
    writes.put(item(&key::used(fold.month(), agent, generation), []));
    if fold.is_last() {
        writes.delete(&key::to_fold(agent, generation));
    }
    match writes.run().await? {
        Outcome::Done => Ok(true),
        Outcome::Refused((), _) => Ok(false),
    }
}

pub(super) async fn usage(
    db: &Db,
    book: Book,
    month: Month,
    view: View,
    after: Option<&Line>,
    limit: u16,
) -> Result<Vec<(Line, Amount)>> {
    let items = db.query(&key::usages(book, month, view, after), Order::Rising, limit.into()).await?;
    let read = |item: &Item| {
        let amount = Amount { cost: NanoDollars(number(item, "cost")?), awake_ms: number(item, "awake_ms")? };
        Ok((parsed(item, RANGE)?, amount))
    };
    items.iter().map(read).collect()
}

pub(super) async fn segments_in(
    db: &Db,
    month: Month,
    shard: Shard,
    after: Option<InstanceId>,
    limit: u16,
) -> Result<Vec<Segment>> {
    let found = segments(db, &key::used_after(month, shard, after), limit).await?;
    found.iter().map(|item| from_json(item, "segment")).collect()
}

/// The segments' items that a span of index items names, in its order.
async fn segments(db: &Db, span: &Span, limit: u16) -> Result<Vec<Item>> {
    let index = db.query(span, Order::Rising, limit.into()).await?;
    let keys = index.iter().map(segment_key).collect::<Result<Vec<_>>>()?;
    let mut found = HashMap::new();
    for item in db.get_all(&keys).await? {
        found.insert((text(&item, PARTITION)?.to_owned(), text(&item, RANGE)?.to_owned()), item);
    }
    let one = |Key { partition, range }: Key| {
        let missing = || illegible(&format!("{partition} {range}"), "it is not there");
        found.remove(&(partition.clone(), range.clone())).ok_or_else(missing)
    };
    keys.into_iter().map(one).collect()
}

fn segment_key(index: &Item) -> Result<Key> {
    let (agent, generation) =
        text(index, RANGE)?.split_once('#').ok_or_else(|| illegible(RANGE, "it is of no segment"))?;
    let agent = agent.parse().map_err(|error| illegible(RANGE, error))?;
    let generation = generation.parse().map_err(|error| illegible(RANGE, error))?;
    Ok(key::segment(agent, Generation(generation)))
}
