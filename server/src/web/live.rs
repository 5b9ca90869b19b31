//! The feed of a signed-in browser: agents as they change, as server-sent
//! events. Each connection starts with the state as it is, so that a reconnect
//! needs no memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use control_plane::live::{Heard, Listener};
use control_plane::{Error, Fleet, Identity, Principal};
use domain::id::AgentId;
use domain::view::AgentView;
use futures::{Stream, StreamExt as _};

use crate::api::problem::Problem;

/// How often a silent feed shows that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

pub async fn all(
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    parts: Parts,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, &parts.headers).await?;
    Ok(stream(Feed::new(fleet, who, None).events(), identity, parts))
}

pub async fn one(
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    parts: Parts,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, &parts.headers).await?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    fleet.get(&who, id).await?;
    let looks = looks(Arc::clone(&fleet), Arc::clone(&identity), who.clone(), id, Side::Owner);
    let feed = Feed::new(fleet, who, Some(id));
    Ok(stream(futures::stream::select(feed.events(), looks), identity, parts))
}

/// How the reader's request to look into an agent fares.
pub async fn look(
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    parts: Parts,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, &parts.headers).await?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    fleet.look_of(&who, id).await?.ok_or(Error::NotFound)?;
    Ok(stream(looks(fleet, Arc::clone(&identity), who, id, Side::Looker), identity, parts))
}

fn stream(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
    identity: Arc<Identity>,
    parts: Parts,
) -> Response {
    let events = events.take_until(super::until_refused(identity, parts.headers));
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}

/// Who wants to know of a look.
#[derive(Debug, Clone, Copy)]
enum Side {
    Owner,
    Looker,
}

/// The look that is under way, or none, as it is and whenever it changes.
fn looks(
    fleet: Arc<Fleet>,
    identity: Arc<Identity>,
    who: Principal,
    id: AgentId,
    side: Side,
) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let mut changes = identity.changes();
        let mut sent = None;
        loop {
            let look = match side {
                Side::Owner => fleet.look_at_mine(&who, id).await,
                Side::Looker => fleet.look_of(&who, id).await,
            };
            // The ledger failed, or the agent is gone: what else is told goes on.
            let Ok(look) = look else { return };
            if sent.as_ref() != Some(&look)
                && let Ok(event) = Event::default().event("look").json_data(&look)
            {
                yield Ok(event);
            }
            let left = look.as_ref().map_or(Duration::MAX, |look| fleet.left_of(look));
            sent = Some(look);
            let _ = tokio::time::timeout(left, changes.next()).await;
        }
    }
}

struct Feed {
    fleet: Arc<Fleet>,
    who: Principal,
    only: Option<AgentId>,
    listener: Listener,
    /// The version of each agent that the browser has.
    sent: BTreeMap<AgentId, u64>,
}

impl Feed {
    fn new(fleet: Arc<Fleet>, who: Principal, only: Option<AgentId>) -> Self {
        // Listens before it reads, so that nothing falls in between.
        let listener = fleet.listen();
        Self { fleet, who, only, listener, sent: BTreeMap::new() }
    }

    fn events(mut self) -> impl Stream<Item = Result<Event, Infallible>> {
        async_stream::stream! {
            let Ok(events) = self.everything().await else { return };
            for event in events { yield Ok(event); }
            while let Some(heard) = self.listener.next().await {
                let events = match heard {
                    Heard::Changed(change) if change.owner != self.who.user => continue,
                    Heard::Changed(change) if self.only.is_some_and(|only| only != change.agent) => continue,
                    Heard::Changed(change) => self.changed(change.agent).await,
                    Heard::Missed => self.everything().await,
                };
                // The ledger failed: the browser reconnects and starts anew.
                let Ok(events) = events else { return };
                for event in events { yield Ok(event); }
            }
        }
    }

    async fn everything(&mut self) -> Result<Vec<Event>, Error> {
        let views = match self.only {
            Some(id) => match self.fleet.get(&self.who, id).await {
                Ok(view) => vec![view],
                Err(Error::NotFound) => Vec::new(),
                Err(error) => return Err(error),
            },
            None => self.fleet.list(&self.who).await?,
        };
        let there: BTreeSet<AgentId> = views.iter().map(|view| view.id).collect();
        let gone: Vec<AgentId> = self.sent.keys().filter(|id| !there.contains(id)).copied().collect();
        let mut events: Vec<Event> = gone.into_iter().map(|id| self.gone(id)).collect();
        events.extend(views.into_iter().filter_map(|view| self.news(view)));
        Ok(events)
    }

    async fn changed(&mut self, id: AgentId) -> Result<Vec<Event>, Error> {
        match self.fleet.get(&self.who, id).await {
            Ok(view) => Ok(self.news(view).into_iter().collect()),
            Err(Error::NotFound) => Ok(vec![self.gone(id)]),
            Err(error) => Err(error),
        }
    }

    fn news(&mut self, view: AgentView) -> Option<Event> {
        let before = self.sent.insert(view.id, view.version);
        if before == Some(view.version) {
            return None;
        }
        Event::default().event("agent").json_data(view).ok()
    }

    fn gone(&mut self, id: AgentId) -> Event {
        self.sent.remove(&id);
        Event::default().event("gone").data(id.to_string())
    }
}
