//! `serve --demo`: a folder that is the demonstration's alone, and goes with it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use control_plane::clock::{Clock as _, SystemClock};
use control_plane::demo::{self, Config, Demo, OTHERS, TEAMS};
use control_plane::embedded;
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

/// What folders of demonstrations are called in the temporary folder, before the
/// number of the process that they are of.
const FOLDER: &str = "openclaw-cloud-demo-";

/// Removes what demonstrations left that were killed: a server can't clean up
/// after itself then, so the next one does.
pub async fn clear_abandoned() {
    let Ok(me) = std::fs::metadata("/proc/self") else { return };
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(process) = name.to_str().and_then(|name| name.strip_prefix(FOLDER)) else { continue };
        let ours = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == me.uid());
        if !ours || process.parse::<u32>().is_err() || Path::new("/proc").join(process).exists() {
            continue;
        }
        match embedded::remove_abandoned(&path).await {
            Ok(true) => {
                tracing::info!("{}: left by a demonstration that was killed, removed", path.display())
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "{}: left by a demonstration, and stays", path.display()),
        }
    }
}

/// Finds a folder that is not there yet or empty, and has the server use it.
///
/// # Errors
/// What was asked for beside it: a cloud, or data that are somebody's.
pub fn prepare(options: &mut Serve) -> anyhow::Result<Stage> {
    anyhow::ensure!(options.engine == Engine::Embedded, "--demo touches no account: leave --engine aws out");
    let folder = match options.data.named() {
        Some(folder) => std::path::absolute(folder)?,
        None => std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id())),
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
