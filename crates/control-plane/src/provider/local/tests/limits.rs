use domain::tier::{Limits, TierFloor};

use super::*;

/// Forks without end, as bash's bomb does, but tells how far it came.
const BOMB: &str = r#"
trap 'exit 0' TERM
python3 -c '
import os, time
n = 0
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
        n += 1
    except OSError:
        break
print(n)' > ~/partial
mv ~/partial ~/forks
while :; do read -t 1000 < /dev/zero; done
"#;

/// Takes all memory that it gets.
const HOG: &str = r#"
trap 'exit 0' TERM
python3 -c '
kept = []
while True: kept.append(bytearray(16 << 20)); [kept[-1].__setitem__(i, 1) for i in range(0, 16 << 20, 4096)]
' 2> ~/hog
echo $? > ~/partial
mv ~/partial ~/hogged
while :; do sleep 1000 & wait $!; done
"#;

async fn a_fork_bomb_hurts_only_its_own(cgroups: Cgroups) {
    let room = Room::with(BOMB, cgroups).await;
    room.launch(instance(1, 1)).await;
    let forks: u64 = room.told(instance(1, 1), "forks").await.trim().parse().unwrap();
    assert!((400..=cgroup::PROCESSES).contains(&forks), "{forks}");
    // Another forks as if nothing were.
    room.launch(instance(2, 1)).await;
    let other: u64 = room.told(instance(2, 1), "forks").await.trim().parse().unwrap();
    assert!(other >= 400, "{other}");
    room.close().await;
}

#[tokio::test]
async fn a_fork_bomb_hurts_only_its_own_in_a_cgroup() {
    a_fork_bomb_hurts_only_its_own(Cgroups::Use).await;
}

#[tokio::test]
async fn a_fork_bomb_hurts_only_its_own_by_rlimits() {
    a_fork_bomb_hurts_only_its_own(Cgroups::Avoid).await;
}

#[tokio::test]
async fn a_memory_hog_is_killed_and_its_agent_lives_on() {
    let room = Room::new(HOG).await;
    room.launch(instance(1, 1)).await;
    let code = room.told(instance(1, 1), "hogged").await;
    let expected = match room.provider.tier().unwrap().limits {
        Limits::Rlimits => "1",
        Limits::Cgroup1 | Limits::Cgroup2 => "137",
    };
    assert_eq!(code.trim(), expected);
    assert!(matches!(room.provider.list().await.unwrap()[0].state, State::Running));
    room.close().await;
}

#[tokio::test]
async fn a_memory_hog_is_refused_by_rlimits() {
    let room = Room::with(HOG, Cgroups::Avoid).await;
    room.launch(instance(1, 1)).await;
    assert_eq!(room.told(instance(1, 1), "hogged").await.trim(), "1");
    assert!(room.told(instance(1, 1), "hog").await.contains("MemoryError"));
    room.close().await;
}

#[tokio::test]
async fn an_agent_that_itself_takes_all_memory_ends_as_out_of_memory() {
    let script = r#"exec python3 -c '
kept = []
while True: kept.append(bytearray(16 << 20)); [kept[-1].__setitem__(i, 1) for i in range(0, 16 << 20, 4096)]'"#;
    let mut room = Room::new(script).await;
    if room.provider.tier().unwrap().limits == Limits::Rlimits {
        return;
    }
    room.launch(instance(1, 1)).await;
    let (_, exit) = room.exit().await;
    assert_eq!((exit.signal, exit.oom), (Some(9), true));
    room.close().await;
}

#[tokio::test]
async fn memory_file_systems_are_bounded() {
    let script = "trap 'exit 0' TERM; for at in /tmp /dev/shm; do dd if=/dev/zero of=$at/full bs=1M 2> /dev/null; stat -c %s $at/full; rm $at/full; done > ~/partial; mv ~/partial ~/sizes; sleep 1000 & wait";
    let room = Room::with(script, Cgroups::Avoid).await;
    room.launch(instance(1, 1)).await;
    let sizes = room.told(instance(1, 1), "sizes").await;
    let sizes: Vec<u64> = sizes.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(sizes, [256 << 20, 128 << 20]);
    room.close().await;
}

#[tokio::test]
async fn a_demand_that_is_not_met_launches_nothing() {
    let room = Room::with(WAITER, Cgroups::Avoid).await;
    let hardened =
        crate::provider::LaunchSpec { floor: TierFloor::Hardened, ..spec(instance(1, 1), Direct::RelayOnly) };
    let refused = room.provider.launch(&hardened).await.unwrap_err();
    assert!(matches!(refused, ProviderError::BelowFloor { .. }), "{refused}");
    assert!(!room.folder(instance(1, 1)).exists());
    assert_eq!(room.provider.list().await.unwrap(), []);
}
