//! «Flota»: everybody's agents, for who has a role. Filter and order are in the
//! address; of the list only what is in view travels.

mod boots;
mod bulk;
mod drain;
mod drawer;
mod filter;
mod journal;
mod order;
mod row;
mod table;
mod waterfall;

use std::collections::{HashMap, HashSet};

use domain::fleet::{Delta, Health, Page, Place, Query, Row};
use domain::id::AgentId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::params::ParamsMap;

use super::{FaultPage, Nothing};
use crate::api;
use crate::browser;
use crate::components::house::use_me;
use crate::error::ErrorCode;
use crate::i18n::{use_lang, use_strings};
use crate::live::{News, Pace, follow, pulse, use_pace};

use boots::Boots;
use bulk::{Report, use_bulk};
use drain::{Drainer, Draining};
use drawer::Drawer;
use filter::{Filter, Tiles};
use order::Orders;
use table::Table;

pub use bulk::provide_bulk;

/// Rows of a window; a screen shows a third of them.
const WINDOW: u16 = 60;
/// Windows begin at multiples of it, so that a small scroll asks for nothing.
const STEP: u32 = 10;

/// The fleet.
#[component]
pub fn FleetPage() -> impl IntoView {
    let t = use_strings();
    let query = Query { limit: WINDOW, ..query_of(&use_query_map().get_untracked()) };
    let first = Resource::new_blocking(|| (), move |()| api::fleet_page(query.clone()));
    let page = move || {
        first.get().map(|page| match page {
            Ok(page) => view! { <Fleet page /> }.into_any(),
            // Whoever may not see it need not know that it is there.
            Err(error) if error.code == ErrorCode::Forbidden => view! { <Nothing /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.fleet) />
        <Suspense>{page}</Suspense>
    }
    .into_any()
}

fn query_of(params: &ParamsMap) -> Query {
    let pairs: Vec<_> = params.clone().into_iter().collect();
    Query::from_pairs(pairs.iter().map(|(key, value)| (&**key, value.as_str())))
}

/// A line of the list: the agent that it shows, and when that came by the agents'
/// time. One that went out of view shows another then: to make a line anew costs
/// a browser far more than to change its words.
#[derive(Clone)]
pub struct Line {
    /// Of the line, whatever it shows.
    key: u32,
    pub seen: ArcRwSignal<(Row, f64)>,
}

impl Line {
    /// The agent that it shows now.
    pub fn id(&self) -> AgentId {
        self.seen.with_untracked(|(row, _)| row.id)
    }
}

/// Goes to an address of the site.
type Go = Box<dyn Fn(&str) + Send + Sync>;

/// What the page knows.
#[derive(Clone, Copy)]
pub struct View {
    /// As the address has it.
    pub query: Memo<Query>,
    /// The first row that is wanted.
    pub from: RwSignal<u32>,
    pub health: RwSignal<Health>,
    pub total: RwSignal<u32>,
    /// The place of the first line.
    pub offset: RwSignal<u32>,
    pub lines: RwSignal<Vec<Line>>,
    pub chosen: RwSignal<HashSet<AgentId>>,
    /// The agent whose drawer is open.
    pub open: RwSignal<Option<AgentId>>,
    /// Where agents run, and whether that is being drained.
    pub place: RwSignal<Place>,
    /// Whether news come.
    pub heard: RwSignal<bool>,
    /// The agents' time in whole seconds: rows count no finer.
    pub second: Memo<u32>,
    /// The same in whole minutes, for what is told in minutes.
    pub minute: Memo<u32>,
    /// Lines that were made so far.
    made: StoredValue<u32>,
    pace: Pace,
    go: StoredValue<Go>,
}

impl View {
    fn new(page: Page) -> Self {
        let params = use_query_map();
        let (pulse, pace) = (pulse(), use_pace());
        let now = pace.at(browser::now());
        let navigate = use_navigate();
        let go = move |path: &str| {
            navigate(path, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        };
        let second = Memo::new(move |_| (pace.at(pulse.get()) / 1000.0) as u32);
        let line = |(key, row)| Line { key, seen: ArcRwSignal::new((row, now)) };
        let lines: Vec<Line> = (0..).zip(page.rows).map(line).collect();
        Self {
            query: Memo::new(move |_| Query { limit: WINDOW, ..query_of(&params.get()) }),
            from: RwSignal::new(0),
            health: RwSignal::new(page.health),
            total: RwSignal::new(page.total),
            offset: RwSignal::new(page.offset),
            made: StoredValue::new(lines.len() as u32),
            lines: RwSignal::new(lines),
            chosen: RwSignal::new(HashSet::new()),
            open: RwSignal::new(None),
            place: RwSignal::new(page.place),
            heard: RwSignal::new(true),
            second,
            minute: Memo::new(move |_| second.get() / 60),
            pace,
            go: StoredValue::new(Box::new(go) as Go),
        }
    }

    /// Asks something else of the list, from its beginning.
    pub fn ask(self, change: impl FnOnce(&mut Query)) {
        let mut query = self.query.get_untracked();
        change(&mut query);
        let params: ParamsMap = query.pairs().into_iter().collect();
        self.from.set(0);
        self.go.with_value(|go| go(&format!("/fleet{}", params.to_query_string())));
    }

    /// Takes a window in: an agent that stays in view keeps its line, and one that
    /// comes takes a line that is free.
    fn take(self, delta: Delta) {
        let now = self.pace.at(browser::now());
        let before = self.lines.get_untracked();
        let ids: Vec<AgentId> = before.iter().map(Line::id).collect();
        let stay: HashSet<&AgentId> = delta.ids.iter().collect();
        let (kept, free): (Vec<_>, Vec<_>) = before.into_iter().partition(|line| stay.contains(&line.id()));
        let mut kept: HashMap<AgentId, Line> = kept.into_iter().map(|line| (line.id(), line)).collect();
        let mut rows: HashMap<AgentId, Row> = delta.rows.into_iter().map(|row| (row.id, row)).collect();
        let mut free = free.into_iter();
        let line = |id: &AgentId| match (kept.remove(id).or_else(|| free.next()), rows.remove(id)) {
            (Some(line), Some(row)) => {
                // Another window tells again what was in the one before.
                if line.seen.with_untracked(|(had, _)| had.id != row.id || had.told() != row.told()) {
                    line.seen.set((row, now));
                }
                Some(line)
            }
            (Some(line), None) => Some(line),
            (None, Some(row)) => {
                let key = self.made.get_value();
                self.made.set_value(key + 1);
                Some(Line { key, seen: ArcRwSignal::new((row, now)) })
            }
            (None, None) => None,
        };
        let lines: Vec<Line> = delta.ids.iter().filter_map(line).collect();
        if ids != delta.ids {
            self.lines.set(lines);
        }
        self.offset.set(delta.offset);
        self.total.set(delta.total);
        self.health.set(delta.health);
        self.place.set(delta.place);
        self.heard.set(true);
    }

    fn feed(self) -> String {
        let mut params: ParamsMap = self.query.get().pairs().into_iter().collect();
        params.insert("offset", self.from.get().to_string());
        params.insert("limit", WINDOW.to_string());
        format!("/live/fleet{}", params.to_query_string())
    }
}

/// Keeps the window as the server tells; anew when another is wanted.
fn listen(view: View) {
    let address = Memo::new(move |_| view.feed());
    Effect::new(move || {
        follow(address.get(), move |news| match news {
            News::Window(delta) => view.take(delta),
            News::Agent(_) | News::Gone(_) | News::Look(_) | News::Resumed => {}
            News::Refused => {
                view.heard.try_set(false);
                spawn_local(async move {
                    match api::fleet_page(Query { limit: 1, ..Query::default() }).await {
                        Err(error) if error.code == ErrorCode::Unauthenticated => {
                            browser::leave_for("/sign-in");
                        }
                        // The role was taken away: it is another house now.
                        Err(error) if error.code == ErrorCode::Forbidden => browser::leave_for("/"),
                        _ => {}
                    }
                });
            }
        });
    });
}

#[component]
fn Fleet(page: Page) -> impl IntoView {
    let (lang, t, me) = (use_lang(), use_strings(), use_me());
    let view = View::new(page);
    listen(view);
    let bulk = use_bulk();
    let lead = Memo::new(move |_| (t.fleet_lead)(&lang.count(view.health.get().agents.into())));
    view! {
        <main class="page page-wide fleet" id="main">
            <div class="page-head">
                <div>
                    <h1>{t.fleet}</h1>
                    <p class="page-lead">{move || lead.get()}</p>
                </div>
                {me.manages_fleet.then(|| view! { <Drainer view bulk /> })}
            </div>
            <Draining view />
            <Tiles view />
            <Boots view />
            <Filter view />
            {move || (!view.heard.get()).then(|| view! { <p class="soft small" role="status">{t.feed_paused}</p> })}
            {me.manages_fleet.then(|| view! { <Orders view bulk /> <Report view bulk /> })}
            <Table view />
        </main>
        {move || view.open.get().map(|id| view! { <Drawer view id /> })}
    }
    .into_any()
}
