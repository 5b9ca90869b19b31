//! Saves and brings back a home of 20,000 files and 183 MB, and prints how long
//! that took, by the clock and in time of a processor, and how much memory the
//! process needed at most.
//!
//! `bench [FOLDER [RUNS]]`: medians of RUNS (3) in FOLDER (the system's temporary
//! one). The life of two instances is run, each in a process of its own: the first
//! saves all; the second brings it back, saves with nothing changed, and saves
//! with 1 % changed.
#![allow(clippy::unwrap_used)] // It measures or it ends.

use std::env::{args, current_exe};
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use repository::{FolderStore, MasterSecret, Repository};

const FILES: usize = 20_000;
/// Mean size of a file, in bytes.
const FILE: usize = 7_150;
/// Two files that are changed in place by the page, as SQLite's are.
const DATABASE: usize = 20_000_000;
const PAGE: usize = 4096;

fn main() {
    let mut args = args().skip(1);
    match args.next().as_deref() {
        Some("first") => first(&PathBuf::from(args.next().unwrap())),
        Some("second") => second(&PathBuf::from(args.next().unwrap())),
        folder => {
            let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
            run(&folder, args.next().map_or(3, |runs| runs.parse().unwrap()));
        }
    }
}

fn run(folder: &Path, runs: usize) {
    let mut figures: Vec<(String, Vec<f64>)> = Vec::new();
    let folder = folder.join(format!("repository-bench-{}", std::process::id()));
    for run in 0..runs {
        // Removed at the end: ext4 is slow to make files just after many were removed.
        let folder = folder.join(run.to_string());
        make_home(&folder.join("home"));
        for life in ["first", "second"] {
            let output = Command::new(current_exe().unwrap()).arg(life).arg(&folder).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            for line in String::from_utf8(output.stdout).unwrap().lines() {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap();
                match figures.iter_mut().find(|(known, _)| known == name) {
                    Some((_, values)) => values.push(value),
                    None => figures.push((name.to_owned(), vec![value])),
                }
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    for (name, mut values) in figures {
        values.sort_by(f64::total_cmp);
        println!("{name}\t{:.2}\t{}", values[values.len() / 2], goal(&name));
    }
}

/// What a figure should come to, on a quiet machine.
fn goal(name: &str) -> &'static str {
    match name {
        "restore, s" => "≤ 1.5",
        "nothing changed, s" => "≤ 0.5",
        "1 % changed, s" => "≤ 0.6",
        "restore and two saves, MB of memory" => "≤ 100",
        _ => "-",
    }
}

fn repository(folder: &Path) -> Repository {
    let key = MasterSecret::new([1; 32]).derive("bench");
    Repository::new(Arc::new(FolderStore::new(&folder.join("objects"))), key)
}

fn first(folder: &Path) {
    let saved = measured("save all", || repository(folder).persist(&folder.join("home")).unwrap());
    println!("save all, MB added {}", saved.added_bytes as f64 / 1e6);
    println!("save all, MB of memory {}", peak());
    fs::write(folder.join("snapshot"), saved.id).unwrap();
}

fn second(folder: &Path) {
    let home = folder.join("back");
    fs::create_dir(&home).unwrap();
    let repository = repository(folder);
    let snapshot = fs::read_to_string(folder.join("snapshot")).unwrap();
    measured("restore", || repository.hydrate(&snapshot, &home).unwrap());
    println!("restore, MB of memory {}", peak());
    let saved = measured("nothing changed", || repository.persist(&home).unwrap());
    println!("nothing changed, MB added {}", saved.added_bytes as f64 / 1e6);
    change(&home);
    let saved = measured("1 % changed", || repository.persist(&home).unwrap());
    println!("1 % changed, MB added {}", saved.added_bytes as f64 / 1e6);
    println!("restore and two saves, MB of memory {}", peak());
}

fn measured<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let (started, before) = (Instant::now(), processor());
    let done = act();
    println!("{what}, s {}", started.elapsed().as_secs_f64());
    println!("{what}, s of a processor {}", processor() - before);
    done
}

/// What this process used of a processor, in seconds, in steps of 1/100.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// The most memory that this process ever had, in MB, as the kernel counts it.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024.0 / 1e6
}

fn file(n: usize) -> String {
    format!("project {}/module {}/file {n}.txt", n / 2000, n / 50 % 40)
}

fn make_home(home: &Path) {
    for n in 0..FILES {
        let path = home.join(file(n));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // From a half to one and a half times the mean.
        fs::write(path, content(FILE / 2 + n * 7919 % FILE, n as u64)).unwrap();
    }
    for (n, name) in ["state.sqlite", "memory.sqlite"].into_iter().enumerate() {
        fs::write(home.join(name), content(DATABASE, (FILES + n) as u64)).unwrap();
    }
}

/// One file of a hundred, and a run of pages in each database.
fn change(home: &Path) {
    for n in (0..FILES).step_by(100) {
        fs::write(home.join(file(n)), content(FILE, (2 * FILES + n) as u64)).unwrap();
    }
    for name in ["state.sqlite", "memory.sqlite"] {
        let database = fs::File::options().write(true).open(home.join(name)).unwrap();
        let pages = DATABASE / PAGE / 100;
        database.write_all_at(&content(PAGE, 1), 0).unwrap();
        database.write_all_at(&content(pages * PAGE, 2), (DATABASE / 3 / PAGE * PAGE) as u64).unwrap();
    }
}

/// Half words, which compress, half noise, which does not.
fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut content = Vec::with_capacity(length + 64);
    while content.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
        content.extend_from_slice(b" \"agent\"");
    }
    content.truncate(length);
    content
}
