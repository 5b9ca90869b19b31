//! Control groups, version 1 and 2: what an instance may use of the machine.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::size::Size;
use domain::tier::Limits;
use serde::{Deserialize, Serialize};

/// Processes and threads that an instance may have.
pub const PROCESSES: u64 = 512;
/// The kernel's usual period for CPU quotas, in microseconds.
const PERIOD: u64 = 100_000;
/// Where the server goes in version 2, which wants processes only in leaves.
const LEAF: &str = "openclaw-server";

/// Where groups may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    V1 { cpu: PathBuf, memory: PathBuf, pids: PathBuf },
    V2(PathBuf),
}

/// One instance's group: one folder (version 2) or one a controller (version 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub version: Limits,
    folders: Vec<PathBuf>,
}

/// The places to try on this machine, the best first.
pub fn parents() -> Vec<Parent> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    parents_in(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
}

fn parents_in(mounts: &str, own: &str) -> Vec<Parent> {
    let place = |controller: &str| {
        let group = own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            parts.next()?.split(',').any(|name| name == controller).then(|| parts.next()).flatten()
        })?;
        mounts.lines().find_map(|line| mounted(line, controller, group))
    };
    let mut found = Vec::new();
    if let Some((mount, path)) = place("") {
        // Beside the server first: a service manager that ends the server's
        // group then leaves the instances alone.
        found.extend(
            path.parent()
                .filter(|beside| beside.starts_with(&mount))
                .map(|beside| Parent::V2(beside.to_owned())),
        );
        found.push(Parent::V2(path));
    }
    if let (Some((_, cpu)), Some((_, memory)), Some((_, pids))) =
        (place("cpu"), place("memory"), place("pids"))
    {
        found.push(Parent::V1 { cpu, memory, pids });
    }
    found
}

/// The mount point and the folder of `group` in it, if this line of mountinfo
/// is a mount of the controller (`""` is version 2).
fn mounted(line: &str, controller: &str, group: &str) -> Option<(PathBuf, PathBuf)> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, mount) = (before.next()?, PathBuf::from(before.next()?));
    let mut after = after.split(' ');
    let kind = after.next()?;
    let fits = match controller {
        "" => kind == "cgroup2",
        name => kind == "cgroup" && after.nth(1)?.split(',').any(|option| option == name),
    };
    let inside = Path::new(group).strip_prefix(root).ok()?;
    fits.then(|| (mount.clone(), if inside.as_os_str().is_empty() { mount } else { mount.join(inside) }))
}

impl Parent {
    /// The group of this name; not made yet.
    pub fn group(&self, name: &str) -> Group {
        match self {
            Self::V1 { cpu, memory, pids } => {
                let mut folders: Vec<_> = [cpu, memory, pids].map(|parent| parent.join(name)).into();
                folders.dedup();
                Group { version: Limits::Cgroup1, folders }
            }
            Self::V2(parent) => Group { version: Limits::Cgroup2, folders: vec![parent.join(name)] },
        }
    }
}

/// Hands the controllers down from a version 2 group.
fn enable(parent: &Path) -> io::Result<()> {
    let has = fs::read_to_string(parent.join("cgroup.controllers"))?;
    if !["cpu", "memory", "pids"].iter().all(|wanted| has.split_whitespace().any(|name| name == *wanted)) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "no cpu, memory and pids controllers here"));
    }
    let hand_down = || fs::write(parent.join("cgroup.subtree_control"), "+cpu +memory +pids");
    match hand_down() {
        Err(busy) if busy.kind() == io::ErrorKind::ResourceBusy => {
            let leaf = parent.join(LEAF);
            fs::create_dir(&leaf)?;
            fs::write(leaf.join("cgroup.procs"), "0")?;
            hand_down()
        }
        done => done,
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cgroup {}",
            self.folders.first().map(|folder| folder.display().to_string()).unwrap_or_default()
        )
    }
}

impl Group {
    /// Makes it with a size's limits; one that is there from a launch that was
    /// cut short is used again.
    pub fn make(&self, size: Size) -> io::Result<()> {
        if let (Limits::Cgroup2, [folder]) = (self.version, self.folders.as_slice()) {
            enable(folder.parent().ok_or(io::ErrorKind::NotFound)?)?;
        }
        self.make_folders(size).inspect_err(|_| self.remove_folders().unwrap_or_default())
    }

    fn make_folders(&self, size: Size) -> io::Result<()> {
        for folder in &self.folders {
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let quota = (u64::from(size.cpu_millis()) * PERIOD / 1000).to_string();
        let memory = (u64::from(size.memory_mib()) << 20).to_string();
        self.set("pids.max", &PROCESSES.to_string())?;
        if self.version == Limits::Cgroup2 {
            self.set("memory.max", &memory)?;
            self.set("cpu.max", &format!("{quota} {PERIOD}"))?;
            // Not on every kernel: swap accounting, and a burst of one period's quota.
            let _ = self.set("memory.swap.max", "0");
            let _ = self.set("cpu.max.burst", &quota);
        } else {
            self.set("memory.limit_in_bytes", &memory)?;
            self.set("cpu.cfs_period_us", &PERIOD.to_string())?;
            self.set("cpu.cfs_quota_us", &quota)?;
            let _ = self.set("memory.memsw.limit_in_bytes", &memory);
            let _ = self.set("cpu.cfs_burst_us", &quota);
        }
        Ok(())
    }

    /// The files into which a process writes `0` to come in.
    pub fn doors(&self) -> io::Result<Vec<File>> {
        self.folders
            .iter()
            .map(|folder| OpenOptions::new().write(true).open(folder.join("cgroup.procs")))
            .collect()
    }

    /// How many of its processes the kernel has killed for want of memory.
    pub fn oom_kills(&self) -> u64 {
        let name = if self.version == Limits::Cgroup2 { "memory.events" } else { "memory.oom_control" };
        let text = self
            .folders
            .iter()
            .find_map(|folder| fs::read_to_string(folder.join(name)).ok())
            .unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
    }

    /// Removes it once its last process is reaped. Blocks up to a second.
    pub fn remove(&self) -> io::Result<()> {
        for _ in 0..100 {
            match self.remove_folders() {
                Err(busy) if busy.kind() == io::ErrorKind::ResourceBusy => {
                    std::thread::sleep(Duration::from_millis(10))
                }
                done => return done,
            }
        }
        self.remove_folders()
    }

    fn remove_folders(&self) -> io::Result<()> {
        for folder in &self.folders {
            match fs::remove_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a setting in the folder that has it.
    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        let path = self.folders.iter().map(|folder| folder.join(file)).find(|path| path.exists());
        fs::write(path.ok_or(io::ErrorKind::NotFound)?, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_found_below_the_own_groups() {
        let mounts = "\
30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 23 0:28 /jail /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids";
        let own = "9:name=systemd:/\n8:pids:/jail/x\n4:memory:/a/b\n2:cpu,cpuacct:/";
        let expected = Parent::V1 {
            cpu: "/sys/fs/cgroup/cpu,cpuacct".into(),
            memory: "/sys/fs/cgroup/memory/a/b".into(),
            pids: "/sys/fs/cgroup/pids/x".into(),
        };
        assert_eq!(parents_in(mounts, own), [expected]);
    }

    #[test]
    fn version_2_is_tried_beside_the_server_then_below_it() {
        let mounts = "29 23 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        let beside = Parent::V2("/sys/fs/cgroup/system.slice".into());
        let below = Parent::V2("/sys/fs/cgroup/system.slice/openclaw.service".into());
        assert_eq!(parents_in(mounts, "0::/system.slice/openclaw.service"), [beside, below]);
        assert_eq!(parents_in(mounts, "0::/"), [Parent::V2("/sys/fs/cgroup".into())]);
        assert_eq!(parents_in("", "0::/"), []);
    }

    /// No machine of ours has version 2's controllers: this is its files' shape.
    #[test]
    fn version_2_hands_down_and_limits() {
        let dir = tempfile::tempdir().unwrap();
        let at = |file: &str| dir.path().join(file);
        fs::create_dir(at("one")).unwrap();
        fs::write(at("cgroup.controllers"), "cpuset cpu io memory pids\n").unwrap();
        for file in
            ["cgroup.subtree_control", "one/pids.max", "one/memory.max", "one/cpu.max", "one/cgroup.procs"]
        {
            fs::write(at(file), "").unwrap();
        }
        fs::write(at("one/memory.events"), "low 0\noom 3\noom_kill 2\noom_group_kill 0\n").unwrap();
        let group = Parent::V2(dir.path().to_owned()).group("one");
        group.make(Size::Standard).unwrap();
        let read = |file: &str| fs::read_to_string(at(file)).unwrap();
        assert_eq!(read("cgroup.subtree_control"), "+cpu +memory +pids");
        assert_eq!(read("one/cpu.max"), "50000 100000");
        assert_eq!(read("one/memory.max"), (2u64 << 30).to_string());
        assert_eq!(read("one/pids.max"), "512");
        assert_eq!((group.oom_kills(), group.doors().unwrap().len()), (2, 1));
        fs::write(at("cgroup.controllers"), "memory pids\n").unwrap();
        assert_eq!(group.make(Size::Standard).unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}
