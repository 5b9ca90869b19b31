//! What this machine can do, found by doing it: a sandbox is started with the
//! strongest limits first, then with weaker ones.

use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::size::Size;
use domain::tier::{Limits, Tier};
use rustix::process::{Resource, geteuid};

use super::cgroup::{self, Group, Parent};
use super::folder::Folder;
use super::sandbox::{self, Sources};
use super::spawn::{self, Staged, Start};
use super::{Cgroups, LocalConfig, seccomp};

/// A probe that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Machine {
    pub tier: Tier,
    /// Why the limits are no better, for an operator who demands more.
    pub shortfall: String,
    pub parent: Option<Parent>,
    filter: Option<Vec<u8>>,
    /// The first of the users that instances run as, when the server is root.
    pub first_uid: Option<u32>,
    bwrap: PathBuf,
    run: PathBuf,
    program: PathBuf,
}

/// One sandbox to start.
pub struct Sandbox<'a> {
    pub folder: &'a Folder,
    pub size: Size,
    pub uid: Option<u32>,
    pub group: Option<&'a Group>,
    pub environment: &'a [(&'a str, &'a str)],
    pub command: Vec<std::ffi::OsString>,
    pub listeners: Vec<std::os::fd::OwnedFd>,
}

impl Machine {
    /// Finds out. The reason of a failure is for the operator.
    pub async fn probe(config: &LocalConfig) -> Result<Self, String> {
        let run = config.data.join("run");
        let says = |what: &str, path: &Path, error: io::Error| format!("{what} {}: {error}", path.display());
        DirBuilder::new().recursive(true).create(&run).map_err(|e| says("can't make", &run, e))?;
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755))
            .map_err(|e| says("can't open", &run, e))?;
        fs::metadata(&config.program.path)
            .map_err(|e| says("no agent program at", &config.program.path, e))?;
        let bwrap = find(&config.bwrap).ok_or_else(|| {
            "bubblewrap (bwrap) is not installed: apt-get install bubblewrap, or your system's like"
                .to_owned()
        })?;
        let filter = match Path::new("/proc/sys/kernel/seccomp/actions_avail").exists() {
            true => Some(seccomp::program().map_err(|error| format!("the seccomp filter: {error}"))?),
            false => None,
        };
        let tier = Tier {
            machine: false,
            namespaces: true,
            landlock: landlock_abi(),
            seccomp: filter.is_some(),
            limits: Limits::Rlimits,
        };
        let first_uid = geteuid().is_root().then(|| first_uid(&config.data)).transpose()?;
        let program = config.program.path.clone();
        let mut machine =
            Self { tier, shortfall: String::new(), parent: None, filter, first_uid, bwrap, run, program };
        let parents = match config.cgroups {
            Cgroups::Use => cgroup::parents(),
            Cgroups::Avoid => Vec::new(),
        };
        let mut shortfalls = Vec::new();
        for parent in parents.into_iter().map(Some).chain([None]) {
            machine.parent = parent;
            match machine.try_out(config).await {
                Ok(limits) => {
                    machine.tier.limits = limits;
                    machine.shortfall = shortfalls.join("; ");
                    return Ok(machine);
                }
                Err(reason) => shortfalls.push(reason),
            }
        }
        Err(format!("no sandbox starts: {}", shortfalls.join("; ")))
    }

    async fn try_out(&self, config: &LocalConfig) -> Result<Limits, String> {
        let place = place(&config.data)?;
        let folder = Folder::at(config.data.join("instances").join(".probe"));
        folder.remove().map_err(|error| format!("an earlier probe's folder: {error}"))?;
        let group = self.parent.as_ref().map(|parent| parent.group(&format!("openclaw-probe-{place}")));
        let outcome = self.run_true(&folder, group.as_ref()).await;
        let outcome = outcome.map_err(|error| format!("{error} {}", folder.last_output()));
        let limits = group.as_ref().map_or(Limits::Rlimits, |group| group.version);
        let cleared = tokio::task::spawn_blocking(move || {
            folder.remove()?;
            group.map_or(Ok(()), |group| group.remove())
        });
        let cleared = cleared.await.map_err(io::Error::other).flatten();
        outcome.and(cleared.map_err(|error| format!("after a probe: {error}"))).map(|()| limits)
    }

    async fn run_true(&self, folder: &Folder, group: Option<&Group>) -> io::Result<()> {
        folder.create(self.first_uid)?;
        if let Some(group) = group {
            group
                .make(Size::Nano)
                .map_err(|error| io::Error::new(error.kind(), format!("no {group}: {error}")))?;
        }
        let command = vec!["/bin/sh".into(), "-c".into(), ":".into()];
        let sandbox = Sandbox {
            folder,
            size: Size::Nano,
            uid: self.first_uid,
            group,
            environment: &[],
            command,
            listeners: Vec::new(),
        };
        let mut child = self.start(sandbox)?;
        match tokio::time::timeout(PATIENCE, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(ended) => Err(io::Error::other(format!("bubblewrap: {}", ended?))),
            Err(_) => {
                child.kill().await?;
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }

    /// Starts bubblewrap on a sandbox.
    pub fn start(&self, sandbox: Sandbox<'_>) -> io::Result<tokio::process::Child> {
        let Sandbox { folder, size, uid, group, environment, command, listeners } = sandbox;
        let sources =
            Sources { program: self.program.canonicalize()?, home: folder.home(), run: self.run.clone() };
        let (user, sources) = match uid {
            Some(uid) => Staged::new(uid, &sources).map(|(user, staged)| (Some(user), staged))?,
            None => (None, sources),
        };
        let status = File::into(folder.create_status()?);
        spawn::start(Start {
            bwrap: &self.bwrap,
            arguments: sandbox::arguments(&sources, size, status, self.filter.as_deref(), environment)?,
            command,
            listeners,
            doors: group.map_or(Ok(Vec::new()), Group::doors)?,
            limits: limits(size, group.is_some(), uid.is_some()),
            user,
            journal: folder.create_journal()?,
            output: folder.create_output()?,
        })
    }
}

/// Limits of each process. Memory: of what a process may write to, since
/// address space is what JavaScript engines reserve without using it.
fn limits(size: Size, in_group: bool, own_user: bool) -> Vec<(Resource, u64)> {
    let mut limits = vec![(Resource::Core, 0), (Resource::Nofile, 16_384)];
    if !in_group {
        limits.push((Resource::Data, u64::from(size.memory_mib()) << 20));
    }
    if own_user {
        limits.push((Resource::Nproc, cgroup::PROCESSES));
    }
    limits
}

fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.exists().then(|| program.to_owned());
    }
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(program)).find(|path| path.exists())
}

/// The first of a range of the host's users. No distribution hands these out:
/// systemd's list of uids leaves them unused. Each data folder gets another
/// thousand, so that two servers' instances are not the same users. A container
/// may have only the low ones.
fn first_uid(data: &Path) -> Result<u32, String> {
    const HIGH: u32 = 1_900_000_000;
    const LOW: u32 = 30_000;
    let map =
        fs::read_to_string("/proc/self/uid_map").map_err(|error| format!("/proc/self/uid_map: {error}"))?;
    let is_mapped = |uid: u32| {
        map.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace().map_while(|field| field.parse::<u64>().ok());
            let (Some(inside), _, Some(length)) = (fields.next(), fields.next(), fields.next()) else {
                return false;
            };
            (inside..inside + length).contains(&u64::from(uid))
        })
    };
    let high = HIGH + 1000 * place(data)?;
    [high, LOW]
        .into_iter()
        .find(|uid| is_mapped(*uid))
        .ok_or_else(|| "no users for instances are mapped here".to_owned())
}

/// A number of this data folder's own, below 200,000.
fn place(data: &Path) -> Result<u32, String> {
    let folder = fs::metadata(data).map_err(|error| format!("{}: {error}", data.display()))?;
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((folder.dev(), folder.ino()));
    Ok(u32::try_from(hash % 200_000).unwrap_or_default())
}

/// The kernel's Landlock ABI; the agent itself applies it.
fn landlock_abi() -> Option<u8> {
    const VERSION: libc::c_uint = 1; // LANDLOCK_CREATE_RULESET_VERSION
    // SAFETY: with this flag the call takes no attributes and only answers a number.
    let abi =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, VERSION) };
    u8::try_from(abi).ok().filter(|abi| *abi > 0)
}
