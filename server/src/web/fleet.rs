//! The feed of a fleet's page: the window that is in view as it is, then what
//! changes of it. A row that is out of view costs nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use control_plane::identity::Right;
use control_plane::{Fleet, Identity, Principal};
use domain::fleet::{Delta, Page, Query, Row, Told};
use domain::id::AgentId;
use futures::{Stream, StreamExt as _};

use super::live::HEARTBEAT;
use crate::api::fleet::Asked;
use crate::api::problem::Problem;

/// What changes by time alone, as «stuck» does, is seen so late at most.
const LOOK: Duration = Duration::from_secs(1);
/// Changes that come so close together are told together.
const TOGETHER: Duration = Duration::from_millis(250);

pub async fn feed(
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    Asked(query): Asked,
    parts: Parts,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, &parts.headers).await?;
    // Refused before a stream begins.
    fleet.overview(&who, &query).await?;
    let headers = parts.headers;
    let refused = async move {
        identity.until_without(Right::SeeFleet, || app::api::session(&identity, &headers)).await;
    };
    let events = events(fleet, who, query).take_until(refused);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

fn events(fleet: Arc<Fleet>, who: Principal, query: Query) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        // Listens before it reads, so that nothing falls in between.
        let mut listener = fleet.listen();
        let mut sent = Sent::default();
        loop {
            // The ledger failed: the browser reconnects and starts anew.
            let Ok(page) = fleet.overview(&who, &query).await else { return };
            if let Some(delta) = sent.delta(page)
                && let Ok(event) = Event::default().event("window").json_data(delta)
            {
                yield Ok(event);
            }
            match tokio::time::timeout(LOOK, listener.next()).await {
                Ok(None) => return,
                Ok(Some(_)) => {
                    tokio::time::sleep(TOGETHER).await;
                    listener.skip();
                }
                Err(_) => {}
            }
        }
    }
}

/// What the browser has.
#[derive(Default)]
struct Sent {
    last: Option<Delta>,
    rows: HashMap<AgentId, Told>,
}

impl Sent {
    /// What it lacks of a page; nothing if it has all of it.
    fn delta(&mut self, page: Page) -> Option<Delta> {
        let ids: Vec<AgentId> = page.rows.iter().map(|row| row.id).collect();
        let news = |row: &Row| self.rows.get(&row.id) != Some(&row.told());
        let rows: Vec<_> = page.rows.iter().filter(|row| news(row)).cloned().collect();
        self.rows = page.rows.iter().map(|row| (row.id, row.told())).collect();
        let whole = Delta {
            health: page.health,
            place: page.place,
            total: page.total,
            offset: page.offset,
            ids,
            rows: Vec::new(),
        };
        let same = self.last.as_ref() == Some(&whole);
        self.last = Some(whole.clone());
        (!same || !rows.is_empty()).then_some(Delta { rows, ..whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::agent::ProviderName;
    use domain::fleet::{Health, Place, State};
    use domain::id::Generation;
    use domain::money::{NanoDollars, Rate};
    use domain::price::Basis;
    use domain::size::Size;
    use domain::time::Timestamp;

    const PLACE: Place = Place { provider: ProviderName::Local, drained: None };

    fn row(n: u8, version: u64) -> Row {
        Row {
            id: AgentId::from_random([n; 10]),
            name: "x".parse().unwrap(),
            owner: "Ana".parse().unwrap(),
            team: None,
            size: Size::Nano,
            provider: ProviderName::Local,
            tier: None,
            state: State::Asleep,
            generation: Generation(1),
            version,
            boot: None,
            last_use: Timestamp(0),
            stuck_since: None,
            basis: Basis::Estimate,
            rate: Rate::ZERO,
            month: Some(NanoDollars::ZERO),
            as_of: Timestamp(0),
        }
    }

    fn page(rows: Vec<Row>) -> Page {
        Page { health: Health::default(), place: PLACE, total: 9, offset: 0, rows }
    }

    #[test]
    fn only_what_the_browser_lacks_is_told() {
        let mut sent = Sent::default();
        let first = sent.delta(page(vec![row(1, 1), row(2, 1)])).unwrap();
        assert_eq!(first.rows.len(), 2);
        assert_eq!(sent.delta(page(vec![row(1, 1), row(2, 1)])), None);
        let changed = sent.delta(page(vec![row(1, 1), row(2, 2)])).unwrap();
        assert_eq!(changed.rows, [row(2, 2)]);
        let moved = sent.delta(page(vec![row(2, 2), row(1, 1)])).unwrap();
        assert_eq!((moved.rows.len(), moved.ids), (0, vec![row(2, 2).id, row(1, 1).id]));
        // By time alone.
        let late = Row { stuck_since: Some(Timestamp(1)), ..row(1, 1) };
        assert_eq!(sent.delta(page(vec![row(2, 2), late.clone()])).unwrap().rows, [late]);
        sent.delta(page(vec![row(2, 2), row(1, 1)]));
        assert_eq!(sent.delta(page(vec![row(2, 2), Row { as_of: Timestamp(1), ..row(1, 1) }])), None);
        let in_february = Row { as_of: Timestamp(31 * 86_400_000), ..row(1, 1) };
        assert_eq!(sent.delta(page(vec![row(2, 2), in_february.clone()])).unwrap().rows, [in_february]);
        sent.delta(page(vec![row(2, 2), row(1, 1)]));
        // What went out of view and came back is told again.
        sent.delta(page(vec![row(2, 2)])).unwrap();
        assert_eq!(sent.delta(page(vec![row(2, 2), row(1, 1)])).unwrap().rows, [row(1, 1)]);
    }
}
