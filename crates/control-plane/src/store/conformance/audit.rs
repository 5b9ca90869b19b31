//! The log of what was done by right of a role.

use std::time::Duration;

use domain::audit::{Act, Actor, Entry, Outcome};
use domain::id::EntryId;
use domain::time::Timestamp;

use super::fixture::*;

pub fn entry(at: Timestamp, n: u8) -> Entry {
    Entry {
        at,
        id: EntryId::from_random([n; 10]),
        actor: Actor::CommandLine,
        act: Act::SeeFleet,
        outcome: Outcome::Refused,
        untold: 0,
    }
}

pub async fn entries_come_in_order_by_month_and_page(store: Ledger) {
    let month = START.month();
    let first = month.start();
    let last = month.next().start().before(Duration::from_millis(1));
    let mine = [entry(first, 9), entry(at(5), 1), entry(at(5), 2), entry(at(7), 0), entry(last, 3)];
    let others = [entry(first.before(Duration::from_millis(1)), 4), entry(month.next().start(), 5)];
    for entry in mine.iter().rev().chain(&others) {
        store.tell(entry).await.unwrap();
    }
    let mut paged: Vec<Entry> = Vec::new();
    loop {
        let after = paged.last().map(|entry| (entry.at, entry.id));
        let page = store.told(month, after, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, mine);
    let (mut back, mut page): (Vec<Entry>, _) = (Vec::new(), store.told_last(month, None, 2).await.unwrap());
    while !page.is_empty() {
        assert!(page.len() <= 2);
        back.append(&mut page);
        let before = back.last().map(|entry| (entry.at, entry.id));
        page = store.told_last(month, before, 2).await.unwrap();
    }
    assert!(back.iter().eq(mine.iter().rev()), "{back:?}");
    assert_eq!(store.told(month.next(), None, 10).await.unwrap(), [others[1].clone()]);
    assert_eq!(store.told(month.next().next(), None, 10).await.unwrap(), []);
}

pub async fn an_entry_is_told_once_and_stays(store: Ledger) {
    let told = entry(at(5), 1);
    store.tell(&told).await.unwrap();
    // A store may take the same words for a repeated try; it never takes others.
    let _ = store.tell(&Entry { outcome: Outcome::Allowed, ..told.clone() }).await;
    assert_eq!(store.told(START.month(), None, 10).await.unwrap(), [told]);
}
