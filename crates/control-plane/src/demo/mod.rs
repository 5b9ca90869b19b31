//! A demonstration: a fleet that is only played, with a month behind it, going
//! on by itself on a clock that may run fast. Everything but the machines is
//! the real thing: ledger, orchestrator, meter, console.
//!
//! It lives in a folder of its own, made for it, and knows no other provider
//! and no other ledger.

mod crowd;
mod cues;
mod history;
mod kiosk;
mod opening;
mod people;
mod show;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::id::{AgentId, UserId};
use domain::lifecycle::Policy;
use domain::name::Name;
use domain::price::Rates;
use domain::stage::Room;
use domain::time::Timestamp;
use domain::usage::{Line, Of};
use tokio::task::JoinSet;

use crate::audit::Audit;
use crate::budgets;
use crate::clock::ManualClock;
use crate::error::{Error, Result};
use crate::identity::Principal;
use crate::provider::simulated::Model;
use crate::spend::{self, Spend};
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError, User};
use history::History;

pub use crate::clock::Speed;
pub use cues::{Cue, Done};
pub use opening::opening;
pub use people::{AGENTS, OTHERS, TEAMS};
pub use show::Show;

/// Settings of a demonstration.
#[derive(Clone)]
pub struct Config {
    /// There, empty, and the demonstration's alone.
    pub folder: PathBuf,
    /// Who has agents: first the presenter, who gives the cues. They sign in
    /// where people do; here they are only names.
    pub owners: Vec<Principal>,
    /// The same one plays the same.
    pub seed: u64,
    /// When it begins ([`opening`]); the month ends there.
    pub start: Timestamp,
    pub origins: Vec<String>,
    /// The log that those who watch can read; the show's own store goes with the show.
    pub audit: Option<Audit>,
}

/// A demonstration. It can be begun anew, from the same start.
pub struct Demo {
    config: Config,
    agents: Vec<(Principal, AgentId)>,
    show: Mutex<Arc<Show>>,
    /// Where the loop is.
    room: Mutex<Option<Room>>,
    /// One begins anew at a time; counts them.
    shows: tokio::sync::Mutex<u32>,
}

impl Demo {
    /// Writes the month, and begins.
    pub async fn open(config: Config) -> Result<Self> {
        let owners = &config.owners;
        let fleet = people::agents(config.seed, owners);
        let agents = fleet
            .iter()
            .zip(owners.iter().cycle())
            .map(|(agent, owner)| (owner.clone(), agent.id))
            .collect::<Vec<_>>();
        let store: Arc<dyn Store> = Arc::new(open(&config.folder.join(show::LEDGER))?);
        for owner in owners {
            let created_at = config.start.before(history::SPAN);
            store
                .add_user(&User {
                    id: owner.user,
                    name: owner.name.clone(),
                    role: owner.role,
                    team: owner.team.clone(),
                    created_at,
                    closed_at: None,
                })
                .await?;
        }
        let history = Arc::new(History {
            store,
            model: Model::new(config.seed),
            policy: policy(),
            rates: Rates::proposal(),
            until: config.start,
        });
        let mut writing = JoinSet::new();
        for agent in fleet {
            let history = Arc::clone(&history);
            writing.spawn(async move { history.write(agent).await });
        }
        while let Some(written) = writing.join_next().await {
            written.map_err(|error| Error::Store(StoreError::Failed(error.to_string())))??;
        }
        // Each show begins with its books made up.
        spend::fold(&*history.store).await?;
        let clock = Arc::new(ManualClock::at(config.start));
        let books = Spend::new(Arc::clone(&history.store), clock);
        let spent = books.owners_of_fleet(config.start.month()).await?;
        drop(books);
        let spent_by = |team: Option<&Name>| {
            let in_team =
                |owner: UserId| owners.iter().any(|who| who.user == owner && who.team.as_ref() == team);
            let counts =
                |line: &Line| matches!(line.of, Of::Owner(owner) if team.is_none() || in_team(owner));
            spent.iter().filter(|(line, _)| counts(line)).map(|(_, amount)| amount.cost).sum()
        };
        for (of, budget) in people::budgets(spent_by) {
            budgets::set(&*history.store, &of, budget).await?;
        }
        // Closed, it is one file, which each show begins with a copy of.
        drop(history);
        let show = Show::begin(&config, &agents, 0).await?;
        let (show, room) = (Mutex::new(show), Mutex::default());
        Ok(Self { config, agents, show, room, shows: tokio::sync::Mutex::new(0) })
    }

    /// What is shown now.
    pub fn show(&self) -> Arc<Show> {
        Arc::clone(&self.show.lock().expect("no holder panics"))
    }

    /// Everybody who has agents in it, the presenter first.
    pub fn owners(&self) -> &[Principal] {
        &self.config.owners
    }

    /// Whether that is who gives the cues.
    pub fn is_presenter(&self, who: &Principal) -> bool {
        self.owners().first().is_some_and(|presenter| presenter.user == who.user)
    }

    /// Begins anew: the same fleet with the same month, at the same start.
    pub async fn reset(&self) -> Result<()> {
        let mut shows = self.shows.lock().await;
        *shows += 1;
        let next = Show::begin(&self.config, &self.agents, *shows).await?;
        let past = std::mem::replace(&mut *self.show.lock().expect("no holder panics"), next);
        past.end().await;
        Ok(())
    }

    /// Ends what is shown.
    pub async fn end(&self) {
        self.show().end().await;
    }
}

/// The fleet's settings. Nothing is saved in between: there is nothing to lose.
/// How long a machine may be slow is this machine's time, however fast the
/// clock: nothing that is played falls over because the stage is busy.
pub(crate) fn policy() -> Policy {
    let Policy { boot_limit, silence_limit, .. } = Policy::default();
    Policy {
        save_every: Duration::ZERO,
        boot_limit: boot_limit * Speed::MOST.times(),
        silence_limit: silence_limit * Speed::MOST.times(),
        ..Policy::default()
    }
}

fn open(path: &std::path::Path) -> Result<Sqlite> {
    Sqlite::open(path).map_err(|error| failed("the demonstration's ledger", error))
}

fn failed(doing: &str, error: impl std::fmt::Display) -> Error {
    Error::Store(StoreError::Failed(format!("{doing}: {error}")))
}
