use tokio::io::AsyncBufReadExt;

use super::*;
use crate::provider::local::folder::Spec;

#[tokio::test]
async fn it_conforms() {
    let mut room = Room::new(GREETER).await;
    crate::provider::conformance::all(&room.provider, &mut room.events).await;
}

#[tokio::test]
async fn it_conforms_without_cgroups() {
    let mut room = Room::with(GREETER, Cgroups::Avoid).await;
    assert_eq!(room.provider.tier().unwrap().limits, domain::tier::Limits::Rlimits);
    crate::provider::conformance::all(&room.provider, &mut room.events).await;
}

#[tokio::test]
async fn stop_leaves_no_process_even_of_an_agent_that_ignores_it() {
    let stubborn = "trap '' TERM; (setsid sleep 7654321 &) ; (setsid sleep 7654321 &) ; touch ~/ready; while :; do sleep 7654321; done";
    let mut room = Room::new(stubborn).await;
    room.launch(instance(1, 1)).await;
    room.told(instance(1, 1), "ready").await;
    eventually(|| (processes("sleep 7654321").len() >= 3).then_some(())).await;
    room.provider.stop(&instance(1, 1)).await.unwrap();
    assert_eq!(processes("sleep 7654321"), Vec::<String>::new());
    assert_eq!(room.exit().await.1.signal, Some(9));
    room.close().await;
}

#[tokio::test]
async fn a_crash_tells_its_code_and_last_output() {
    let mut room = Room::new("echo -e 'going \\033[31mdown' >&2; exit 3").await;
    // It may end before or after the launch is over.
    let launched = room.provider.launch(&spec(instance(1, 1), Direct::RelayOnly)).await;
    match launched {
        Ok(_) => {
            let (_, exit) = room.exit().await;
            assert_eq!((exit.code, exit.signal, exit.oom), (Some(3), None, false));
            assert_eq!(exit.last_output, "going [31mdown");
        }
        Err(error) => assert!(error.to_string().contains("down"), "{error}"),
    }
    room.close().await;
}

#[tokio::test]
async fn a_killed_agent_takes_all_of_its_instance_along() {
    let mut room = Room::new("sleep 7654322 & sleep 7654322").await;
    room.launch(instance(1, 1)).await;
    eventually(|| (processes("sleep 7654322").len() >= 3).then_some(())).await;
    let process = Folder::at(room.folder(instance(1, 1))).process().unwrap();
    process::signal(process.open().unwrap(), Signal::KILL).unwrap();
    let (ended, exit) = room.exit().await;
    assert_eq!((ended, exit.code, exit.signal), (instance(1, 1), None, Some(9)));
    assert_eq!(processes("sleep 7654322"), Vec::<String>::new());
    room.close().await;
}

#[tokio::test]
async fn a_restarted_server_adopts_what_runs_and_learns_what_ended() {
    let script = "trap 'exit 5' TERM; touch ~/ready; while ! [ -e ~/go ]; do sleep 0.01; done; exit 4";
    let room = Room::new(script).await;
    let (lives, dies) = (instance(1, 1), instance(2, 7));
    room.launch(lives).await;
    room.launch(dies).await;
    room.told(lives, "ready").await;
    let before = Folder::at(room.folder(lives)).process().unwrap();

    // While no server watches, one of them ends.
    let Room { provider, events, config, data } = room;
    drop((provider, events));
    let process = Folder::of(&data.path().join("instances"), &dies).process().unwrap();
    fs::write(data.path().join("instances").join(dies.file_name()).join("home/go"), "").unwrap();
    eventually(|| process.open().is_none().then_some(())).await;
    let (provider, events) = open(&config).await;
    let mut room = Room { provider, events, config, data };

    assert_eq!(room.exit().await, (dies, Exit { code: Some(4), ..Exit::default() }));
    // A launch that the old server had begun finds the same process.
    room.launch(lives).await;
    assert_eq!(Folder::at(room.folder(lives)).process().unwrap(), before);
    assert!(before.open().is_some());
    room.provider.dial(&lives).await.unwrap();
    // What ends under the new server is told as ever.
    room.provider.stop(&lives).await.unwrap();
    assert_eq!(room.exit().await, (lives, Exit { code: Some(5), ..Exit::default() }));

    // Ends are told again until they are forgotten.
    let mut room = room.restart().await;
    let mut told = [room.exit().await.0, room.exit().await.0];
    told.sort();
    let mut both = [lives, dies];
    both.sort();
    assert_eq!(told, both);
    room.close().await;
}

/// When a run ended, as a server says it.
async fn ended_at(provider: &LocalProvider, of: InstanceId) -> Timestamp {
    let all = provider.list().await.unwrap();
    let seen = all.iter().find(|seen| seen.instance == of).unwrap();
    assert!(matches!(seen.state, State::Exited(_)), "{seen:?}");
    seen.since
}

#[tokio::test]
async fn a_run_that_ended_unseen_is_billed_until_then_and_not_until_somebody_looks() {
    let room = Room::new("touch ~/ready; while ! [ -e ~/go ]; do sleep 0.01; done; exit 4").await;
    room.launch(instance(1, 1)).await;
    room.told(instance(1, 1), "ready").await;
    let process = Folder::at(room.folder(instance(1, 1))).process().unwrap();
    let Room { provider, events, config, data } = room;
    drop((provider, events));
    let folder = data.path().join("instances").join(instance(1, 1).file_name());
    fs::write(folder.join("home/go"), "").unwrap();
    eventually(|| process.open().is_none().then_some(())).await;
    eventually(|| Folder::at(folder.clone()).status().exit_code.map(drop)).await;
    let noted = Folder::at(folder).status_at().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (provider, events) = open(&config).await;
    assert_eq!(ended_at(&provider, instance(1, 1)).await, noted);
    Room { provider, events, config, data }.close().await;
}

#[tokio::test]
async fn a_run_that_the_power_failed_is_billed_until_it_was_last_seen() {
    let room = Room::new(WAITER).await;
    room.launch(instance(1, 1)).await;
    room.told(instance(1, 1), "ready").await;
    // The look that comes again and again.
    room.provider.list().await.unwrap();
    let instances = room.data.path().join("instances");
    let last = alive::last(&instances).unwrap();
    let folder = Folder::at(room.folder(instance(1, 1)));
    let process = folder.process().unwrap();
    let Room { provider, events, config, data } = room;
    drop((provider, events));
    // Nobody is left to note its end.
    process::signal(process::monitor_of(process.pid).unwrap(), Signal::KILL).unwrap();
    process::signal(process.open().unwrap(), Signal::KILL).unwrap();
    eventually(|| process.open().is_none().then_some(())).await;
    folder.set_spec(&Spec { boot: "another".to_owned(), ..folder.spec().unwrap() }).unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (provider, events) = open(&config).await;
    assert_eq!(ended_at(&provider, instance(1, 1)).await, last);
    Room { provider, events, config, data }.close().await;

    // A mark of before its start says no more than that it started.
    let room = Room::new(WAITER).await;
    room.launch(instance(2, 1)).await;
    let folder = Folder::at(room.folder(instance(2, 1)));
    let (spec, process) = (folder.spec().unwrap(), folder.process().unwrap());
    let Room { provider, events, config, data } = room;
    drop((provider, events));
    process::signal(process::monitor_of(process.pid).unwrap(), Signal::KILL).unwrap();
    process::signal(process.open().unwrap(), Signal::KILL).unwrap();
    eventually(|| process.open().is_none().then_some(())).await;
    folder.set_spec(&Spec { boot: "another".to_owned(), ..spec.clone() }).unwrap();
    let (provider, events) = open(&config).await;
    assert_eq!(ended_at(&provider, instance(2, 1)).await, spec.at);
    Room { provider, events, config, data }.close().await;
}

#[tokio::test]
async fn an_instance_is_adopted_whose_server_died_before_it_wrote_the_process_down() {
    let room = Room::new(WAITER).await;
    room.launch(instance(1, 1)).await;
    let folder = room.folder(instance(1, 1));
    let before = Folder::at(folder.clone()).process().unwrap();
    fs::remove_file(folder.join("process.json")).unwrap();
    let room = room.restart().await;
    assert_eq!(Folder::at(folder).process(), Some(before));
    room.close().await;
}

#[tokio::test]
async fn an_instance_is_adopted_though_its_bubblewrap_was_killed() {
    let mut room = Room::new(WAITER).await;
    room.launch(instance(1, 1)).await;
    room.told(instance(1, 1), "ready").await;
    let process = Folder::at(room.folder(instance(1, 1))).process().unwrap();
    process::signal(process::monitor_of(process.pid).unwrap(), Signal::KILL).unwrap();
    room = room.restart().await;
    assert!(process.open().is_some());
    room.provider.stop(&instance(1, 1)).await.unwrap();
    // Whoever inherits orphans here may leave the dead unreaped: a dead one has no command line.
    let line = fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    assert!(line.is_empty() || process.open().is_none(), "{line}");
    assert_eq!(room.exit().await.1, Exit::default());
    room.close().await;
}

#[tokio::test]
async fn a_launch_cut_short_before_anything_ran_is_cleared_and_done_anew() {
    let room = Room::new(WAITER).await;
    let cut = instance(1, 1);
    room.launch(cut).await;
    let spec = fs::read(room.folder(cut).join("spec.json")).unwrap();
    room.provider.stop(&cut).await.unwrap();
    room.provider.forget(&cut).await.unwrap();
    fs::create_dir(room.folder(cut)).unwrap();
    fs::write(room.folder(cut).join("spec.json"), spec).unwrap();
    let room = room.restart().await;
    assert!(!room.folder(cut).exists());
    room.launch(cut).await;
    room.told(cut, "ready").await;
    room.close().await;
}

#[tokio::test]
async fn a_launch_that_can_not_be_written_down_is_undone() {
    let room = Room::new("trap '' TERM; sleep 7654325").await;
    let failed = instance(1, 1);
    // In the way of the process's record, for root too.
    fs::create_dir_all(room.folder(failed).join("process.json/x")).unwrap();
    let refused = room.provider.launch(&spec(failed, Direct::RelayOnly)).await;
    assert!(matches!(refused, Err(ProviderError::Launch { .. })), "{refused:?}");
    // What was killed is gone a moment later, on a busy machine.
    let since = Instant::now();
    while !processes("sleep 7654325").is_empty() && since.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(processes("sleep 7654325"), Vec::<String>::new());
    assert!(!room.folder(failed).exists());
    assert_eq!(room.provider.list().await.unwrap(), []);
    room.launch(failed).await;
    room.close().await;
}

#[tokio::test]
async fn all_of_an_agent_is_purged_and_nothing_of_another() {
    let room = Room::new(WAITER).await;
    for id in [instance(1, 1), instance(1, 2), instance(2, 1)] {
        room.launch(id).await;
    }
    room.provider.stop(&instance(1, 1)).await.unwrap();
    room.provider.stop(&instance(1, 2)).await.unwrap();
    room.provider.purge(instance(1, 1).agent).await.unwrap();
    assert!(!room.folder(instance(1, 1)).exists() && !room.folder(instance(1, 2)).exists());
    let refused = room.provider.purge(instance(2, 1).agent).await;
    assert!(matches!(refused, Err(ProviderError::StillRunning(_))));
    room.close().await;
}

#[tokio::test]
async fn without_bubblewrap_nothing_is_launched_and_the_reason_is_said() {
    let room = Room::new(WAITER).await;
    let config = LocalConfig { bwrap: "/nowhere/bwrap".into(), ..room.config.clone() };
    let (provider, _events) = open(&config).await;
    let refused = provider.launch(&spec(instance(1, 1), Direct::RelayOnly)).await.unwrap_err();
    assert!(refused.to_string().contains("bubblewrap"), "{refused}");
    assert!(!room.folder(instance(1, 1)).exists());
}

/// A waiter that is found among the host's processes.
const NAMED: &str = "trap 'exit 0' TERM; sleep 7654324 & wait";

/// The server's part in the next test: it launches until it is killed.
#[tokio::test]
#[ignore = "started and killed by the next one"]
async fn launches_until_killed() {
    let Some(data) = std::env::var_os("KILLED_DATA") else { return };
    let config = LocalConfig { data: data.into(), ..config(Path::new(""), NAMED, Cgroups::Use) };
    let (provider, _events) = open(&config).await;
    println!("open");
    for generation in 1.. {
        let two = [
            spec(instance(1, generation), Direct::Loopback),
            spec(instance(2, generation), Direct::RelayOnly),
        ];
        let (one, other) = tokio::join!(provider.launch(&two[0]), provider.launch(&two[1]));
        one.and(other).unwrap();
    }
}

#[tokio::test]
async fn a_server_killed_at_any_moment_loses_nothing() {
    let room = Room::new(NAMED).await;
    let data = room.data.path().to_owned();
    let group = |folder: &Folder| folder.spec().and_then(|spec| spec.group);
    for round in 0..25u64 {
        let mut server = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "provider::local::tests::lifetime::launches_until_killed",
                "--ignored",
                "--nocapture",
            ])
            .env("KILLED_DATA", &data)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = tokio::io::BufReader::new(server.stdout.take().unwrap()).lines();
        while !lines.next_line().await.unwrap().unwrap().ends_with("open") {}
        // Not for an event, but at any moment: 0 to 48 ms into it.
        tokio::time::sleep(Duration::from_millis(2 * round)).await;
        server.kill().await.unwrap();

        let (provider, _events) = open(&room.config).await;
        let list = provider.list().await.unwrap();
        // Beside them lies the mark of when this machine was last alive.
        let folders: Vec<_> = fs::read_dir(data.join("instances"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        assert_eq!(list.len(), folders.len(), "{list:?} {folders:?}");
        let groups: Vec<_> = folders.into_iter().filter_map(|path| group(&Folder::at(path))).collect();
        for observed in &list {
            assert_eq!(observed.state, State::Running, "round {round}");
            provider.stop(&observed.instance).await.unwrap();
            provider.forget(&observed.instance).await.unwrap();
        }
        assert_eq!(processes("sleep 7654324"), Vec::<String>::new(), "round {round}");
        assert!(groups.iter().all(|group| group.doors().is_err()), "round {round}");
    }
    room.close().await;
}

#[tokio::test]
#[ignore = "a measurement: run it by name, in a quiet room"]
async fn how_long_launches_take() {
    let room = Room::new(WAITER).await;
    println!("{}", room.provider.tier().unwrap());
    let (mut launched, mut ready, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
    let standard =
        |id| crate::provider::LaunchSpec { size: Default::default(), ..spec(id, Direct::RelayOnly) };
    for generation in 1..=100 {
        let id = instance(1, generation);
        let since = Instant::now();
        room.provider.launch(&standard(id)).await.unwrap();
        launched.push(since.elapsed());
        let path = room.folder(id).join("home/ready");
        while !path.exists() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        ready.push(since.elapsed());
        let since = Instant::now();
        room.provider.stop(&id).await.unwrap();
        stopped.push(since.elapsed());
        room.provider.forget(&id).await.unwrap();
    }
    for (what, mut times) in
        [("launch returns", launched), ("a script's first line", ready), ("stop returns", stopped)]
    {
        times.sort();
        println!("{what}: p50 {:.1?}, p95 {:.1?}, worst {:.1?}", times[49], times[94], times[99]);
    }
    let provider = Arc::new(room.provider);
    let since = Instant::now();
    let mut launches = tokio::task::JoinSet::new();
    for agent in 101..=120 {
        let (provider, spec) = (provider.clone(), standard(instance(agent, 1)));
        launches.spawn(async move { provider.launch(&spec).await.unwrap() });
    }
    launches.join_all().await;
    println!("20 at once: {:.1?}", since.elapsed());
    for agent in 101..=120 {
        provider.stop(&instance(agent, 1)).await.unwrap();
    }
}
