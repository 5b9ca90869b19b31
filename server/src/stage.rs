//! `serve --demo`: a folder that is the demonstration's alone, and goes with it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use control_plane::clock::{Clock as _, SystemClock};
use control_plane::demo::{self, Config, Demo, OTHERS, TEAMS};
use control_plane::orchestrator::Orchestrator;
use control_plane::{Identity, Principal};
use domain::name::Name;
use domain::role::Role;

use crate::config::{Data, Engine, Serve};

/// Who gives the cues.
pub const PRESENTER: &str = "presenter";

/// Where a demonstration is.
pub struct Stage {
    folder: PathBuf,
}

/// Finds a folder that is not there yet or empty, and has the server use it.
///
/// # Errors
/// What was asked for beside it: a cloud, or data that are somebody's.
pub fn prepare(options: &mut Serve) -> anyhow::Result<Stage> {
    anyhow::ensure!(options.engine == Engine::Embedded, "--demo touches no account: leave --engine aws out");
    let folder = match options.data.named() {
        Some(folder) => std::path::absolute(folder)?,
        None => std::env::temp_dir().join(format!("openclaw-cloud-demo-{}", std::process::id())),
    };
    let holds_something = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    anyhow::ensure!(
        !holds_something && !folder.is_file(),
        "{} holds something: a demonstration has a folder of its own, and removes it",
        folder.display()
    );
    options.data = Data::at(folder.clone());
    Ok(Stage { folder })
}

impl Stage {
    /// Writes the fleet's month, and begins.
    pub async fn open(
        &self,
        identity: &Identity,
        seed: u64,
        origins: &[String],
    ) -> anyhow::Result<Arc<Demo>> {
        let mut owners = Vec::new();
        for (name, team) in std::iter::once(PRESENTER).chain(OTHERS).zip(TEAMS.iter().cycle()) {
            let name: Name = name.parse().context("an owner's name")?;
            let role = if name.as_str() == PRESENTER { Role::Admin } else { Role::User };
            let team = team.parse().context("a team's name")?;
            identity.ensure_user(&name, role).await?;
            let user = identity.set_team(&name, Some(team)).await?;
            owners.push(Principal::of(user, None));
        }
        let folder = self.folder.join("demo");
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let start = demo::opening(SystemClock.now());
        let audit = Some(identity.log().clone());
        let config = Config { folder, owners, seed, start, origins: origins.to_vec(), audit };
        Ok(Arc::new(Demo::open(config).await.context("the demonstration can't begin")?))
    }

    /// Nothing of it stays: no sandbox and no file.
    pub async fn clear(&self, running: &Orchestrator) {
        if let Err(error) = running.stop_everything().await {
            tracing::warn!(%error, "some of the demonstration's sandboxes still run");
        }
        if let Err(error) = tokio::fs::remove_dir_all(&self.folder).await {
            tracing::warn!(%error, "the demonstration's folder stays: {}", self.folder.display());
        }
    }
}
