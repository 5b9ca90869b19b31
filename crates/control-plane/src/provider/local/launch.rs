//! Launching one instance. Steps are written down before they are taken, so
//! that a server which is killed between any two leaves what can be told apart.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::protocol::env;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

use super::entry::{Entry, Life, Monitor};
use super::folder::{Folder, Spec};
use super::machine::{Machine, Sandbox};
use super::process::{self, Identity};
use super::{Shared, now, sandbox};
use crate::provider::{Direct, LaunchSpec, Launched, ProviderError};

/// A bubblewrap that takes longer to make its namespaces has failed.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn launch(
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    wanted: LaunchSpec,
) -> Result<Launched, ProviderError> {
    let _gate = entry.gate.lock().await;
    match &*entry.life() {
        Life::Running(running) => return Ok(running.launched.clone()),
        Life::Ended(_) | Life::Forgotten => return Err(ProviderError::Ended(wanted.instance)),
        Life::Absent => {}
    }
    let machine = shared.machine.as_ref().map_err(|reason| ProviderError::Unavailable(reason.clone()))?;
    if !machine.tier.reaches(wanted.floor) {
        let (reached, reason) = (machine.tier.clone(), machine.shortfall.clone());
        return Err(ProviderError::BelowFloor { wanted: wanted.floor, reached, reason });
    }
    let instance = wanted.instance;
    let uid = machine.first_uid.map(|first| shared.uid_for(instance, first));
    let (preparing, args, folder) =
        (machine.clone(), shared.config.program.args.clone(), entry.folder.clone());
    // Forking a large process and writing to disk: not for the runtime's threads.
    let started = tokio::task::spawn_blocking(move || start(&preparing, &args, &folder, &wanted, uid));
    let outcome = async {
        let (spec, mut child) = started.await.map_err(io::Error::other).flatten()?;
        let process = first_process(&entry.folder, &mut child).await?;
        let launched = spec.launched();
        entry.watch(spec, process, Monitor::Own(child), shared.events.clone())?;
        Ok::<_, io::Error>(launched)
    };
    match outcome.await {
        Ok(launched) => Ok(launched),
        Err(error) => {
            let reason = format!("{error}. {}", entry.folder.last_output());
            let folder = entry.folder.clone();
            let undone = tokio::task::spawn_blocking(move || undo(&folder)).await;
            if let Err(error) = undone.map_err(io::Error::other).flatten() {
                tracing::warn!(%instance, %error, "a failed launch left something behind");
            }
            Err(ProviderError::Launch { instance, reason: reason.trim_end().to_owned() })
        }
    }
}

/// Prepares the instance's folder and starts bubblewrap.
fn start(
    machine: &Machine,
    args: &[std::ffi::OsString],
    folder: &Folder,
    wanted: &LaunchSpec,
    uid: Option<u32>,
) -> io::Result<(Spec, Child)> {
    let instance = wanted.instance;
    folder.create(uid)?;
    let name = format!("openclaw-{}", instance.file_name());
    let group = machine.parent.as_ref().map(|parent| parent.group(&name));
    let mut listeners = vec![OwnedFd::from(folder.listen()?)];
    let direct = match wanted.direct {
        Direct::RelayOnly => None,
        Direct::Loopback => {
            let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            let address = listener.local_addr()?;
            listeners.push(listener.into());
            Some(address)
        }
    };
    let tier = machine.tier.clone();
    let spec = Spec { instance, tier, direct, uid, group, at: now(), boot: process::boot_id()? };
    folder.set_spec(&spec)?;
    spec.group.as_ref().map_or(Ok(()), |group| group.make(wanted.size))?;
    let (text, count) = (instance.to_string(), listeners.len().to_string());
    let control = format!("unix:{}/control.sock", sandbox::RUN);
    let landlock = spec.tier.landlock.map(|abi| abi.to_string());
    let mut environment = vec![
        (env::INSTANCE, text.as_str()),
        (env::CONTROL, &control),
        (env::ENROLMENT, wanted.enrolment.expose()),
        (env::LISTEN_FDS, &count),
        (env::JOURNAL, "stdout"),
    ];
    environment.extend(landlock.as_deref().map(|abi| (env::LANDLOCK, abi)));
    let command = [sandbox::AGENT.into()].into_iter().chain(args.iter().cloned()).collect();
    let child = machine.start(Sandbox {
        folder,
        size: wanted.size,
        uid,
        group: spec.group.as_ref(),
        environment: &environment,
        command,
        listeners,
    })?;
    Ok((spec, child))
}

/// Waits for bubblewrap to name the sandbox's first process.
async fn first_process(folder: &Folder, child: &mut Child) -> io::Result<(Identity, OwnedFd)> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(pid) = folder.status().child {
            // Bubblewrap reaps it only after its end is written down.
            let gone = || io::Error::other("the sandbox ended at once");
            let handle = process::open(pid).ok_or_else(gone)?;
            return Ok((Identity::of(pid).map_err(|_| gone())?, handle));
        }
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("bubblewrap: {status}")));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // With it goes a child that it has not named: they are one process group
    // until the sandbox stands.
    if let Some(group) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        kill_process_group(group, Signal::KILL)?;
    }
    child.wait().await?;
    Err(io::ErrorKind::TimedOut.into())
}

/// Leaves nothing of a launch that failed. Blocks.
fn undo(folder: &Folder) -> io::Result<()> {
    if let Some(spec) = folder.spec() {
        if let Some((_, handle)) = folder.find_process(&spec) {
            process::kill(&handle)?;
        }
        spec.group.map_or(Ok(()), |group| group.remove())?;
    }
    folder.remove()
}
