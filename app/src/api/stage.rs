//! Server functions of a demonstration: how it goes, and the presenter's cues.

use domain::id::AgentId;
use domain::stage::{Look, Room};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

#[cfg(feature = "ssr")]
pub use on_server::Stage;
#[cfg(feature = "ssr")]
use on_server::{cue_of, demo, look_of};

#[cfg(feature = "ssr")]
use super::session::{principal, refuse};

/// How it goes, for who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageLook {
    #[serde(flatten)]
    pub look: Look,
    /// Which show it is: each that begins anew has another number.
    pub show: u32,
    /// The page to be seen now, where it gives its own cues.
    pub room: Option<Room>,
    /// Whether who asks gives the cues.
    pub presents: bool,
}

/// Something that the presenter has happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    WakeOne,
    Interrupt,
    SleepAll,
    Burst,
    SpendBudget,
    /// 1 to 600.
    Speed(u32),
    Reset,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cued {
    /// How many agents it was about.
    pub agents: usize,
    /// The presenter's own that it was about.
    pub agent: Option<AgentId>,
}

/// How the demonstration goes, for anybody who is signed in.
#[server(LookAtStage, prefix = "/api/console", endpoint = "stage_look", input = Json, output = Json)]
pub async fn stage_look() -> Result<StageLook, AppError> {
    let demo = demo();
    let who = principal().await?;
    look_of(&*demo.map_err(refuse)?, &who).await.map_err(refuse)
}

/// Has something happen, for the presenter.
#[server(CueStage, prefix = "/api/console", endpoint = "stage_cue", input = Json, output = Json)]
pub async fn stage_cue(cue: Cue) -> Result<Cued, AppError> {
    let demo = demo();
    let who = principal().await?;
    let done = demo.map_err(refuse)?.cue(&who, cue_of(cue).map_err(refuse)?).await.map_err(refuse)?;
    Ok(Cued { agents: done.agents, agent: done.agent })
}

#[cfg(feature = "ssr")]
mod on_server {
    use std::sync::Arc;

    use control_plane::demo::{self, Demo, Speed};
    use control_plane::{Error, Principal, Result};

    use super::{Cue, StageLook, use_context};
    use crate::stage::Part;

    /// The demonstration that a request is part of.
    #[derive(Clone)]
    pub struct Stage {
        pub demo: Arc<Demo>,
        pub part: Part,
        /// The show that the request's fleet is of; of this machine's own, the first.
        pub show: u32,
    }

    /// Where nothing is demonstrated there is none.
    pub fn demo() -> Result<Arc<Demo>> {
        use_context::<Stage>().map(|stage| stage.demo).ok_or(Error::NotFound)
    }

    pub async fn look_of(demo: &Demo, who: &Principal) -> Result<StageLook> {
        let show = demo.show();
        let look = show.look(demo.owners()).await?;
        let presents = demo.is_presenter(who);
        Ok(StageLook { look, show: show.number, room: demo.room(), presents })
    }

    pub fn cue_of(cue: Cue) -> Result<demo::Cue> {
        Ok(match cue {
            Cue::WakeOne => demo::Cue::WakeOne,
            Cue::Interrupt => demo::Cue::Interrupt,
            Cue::SleepAll => demo::Cue::SleepAll,
            Cue::Burst => demo::Cue::Burst,
            Cue::SpendBudget => demo::Cue::SpendBudget,
            Cue::Reset => demo::Cue::Reset,
            Cue::Speed(times) => {
                let problem = || "1 to 600".to_owned();
                let speed = Speed::new(times);
                demo::Cue::Speed(speed.ok_or_else(|| Error::Invalid { field: "cue", problem: problem() })?)
            }
        })
    }
}
