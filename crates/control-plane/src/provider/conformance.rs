//! What every provider must do, whatever it runs instances on. The agents it is
//! given greet whoever dials with one byte per connection so far, and end by
//! themselves with code 0 when asked to.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use domain::id::Generation;
use domain::size::Size;
use domain::tier::TierFloor;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::*;

/// An instance of this test's own: tests run at once, each on a thread, and
/// what a provider names by instance is the machine's.
pub fn instance(agent: u8, generation: u32) -> InstanceId {
    let test = (std::process::id(), std::thread::current().id());
    let [a, b, c, d, e, f, g, h] =
        BuildHasherDefault::<DefaultHasher>::default().hash_one(test).to_be_bytes();
    let agent = AgentId::from_random([agent, a, b, c, d, e, f, g, h, 0]);
    InstanceId { agent, generation: Generation(generation) }
}

pub fn spec(instance: InstanceId, direct: Direct) -> LaunchSpec {
    let enrolment = Enrolment::new("canary-nonce".to_owned());
    let owner = UserId::from_random([7; 10]);
    LaunchSpec {
        instance,
        owner,
        now: Timestamp(0),
        size: Size::Nano,
        enrolment,
        on_demand: false,
        direct,
        floor: TierFloor::Sandbox,
    }
}

/// What runs at once when it is launched.
pub fn started(launch: Result<Launch, ProviderError>) -> Launched {
    match launch {
        Ok(Launch::Started(launched)) => launched,
        other => panic!("{other:?}"),
    }
}

/// Runs the rules that hold whether a provider starts an instance at once or
/// takes it on and tells by events how far it is, on a provider that is empty.
pub async fn any(provider: &dyn Provider, events: &mut mpsc::Receiver<ProviderEvent>) {
    assert_eq!(provider.list().await.unwrap(), []);
    nothing_is_there_for_a_stranger(provider).await;
    one_run_is_launched_once(provider).await;
    a_run_ends_once_and_for_all(provider, events).await;
    assert_eq!(provider.list().await.unwrap(), []);
}

async fn one_run_is_launched_once(provider: &dyn Provider) {
    let spec = spec(instance(1, 1), Direct::RelayOnly);
    let (one, other) = tokio::join!(provider.launch(&spec), provider.launch(&spec));
    assert!(one.is_ok() && other.is_ok() && provider.launch(&spec).await.is_ok());
    let list = provider.list().await.unwrap();
    assert_eq!(
        list.iter().map(|seen| (seen.instance, &seen.state)).collect::<Vec<_>>(),
        [(spec.instance, &State::Running)]
    );
    assert!(matches!(provider.forget(&spec.instance).await, Err(ProviderError::StillRunning(_))));
}

async fn a_run_ends_once_and_for_all(provider: &dyn Provider, events: &mut mpsc::Receiver<ProviderEvent>) {
    let (first, second) = (instance(1, 1), instance(1, 2));
    provider.launch(&spec(second, Direct::RelayOnly)).await.unwrap();
    let at = provider.stop(&first).await.unwrap();
    assert_eq!(provider.stop(&first).await.unwrap(), at);
    let (exit, ended) = loop {
        let event = events.recv().await.unwrap();
        if let EventKind::Exited(exit) = event.kind {
            assert_eq!(event.instance, first);
            break (exit, event.at);
        }
    };
    assert_eq!((exit.code, at.unwrap_or(ended)), (Some(0), ended));
    let states = provider.list().await.unwrap();
    let state = |of| states.iter().find(|seen| seen.instance == of).map(|seen| (&seen.state, seen.since));
    assert_eq!(state(first), Some((&State::Exited(exit), ended)));
    assert!(matches!(state(second), Some((State::Running, _))));
    assert!(matches!(provider.dial(&first).await, Err(ProviderError::NotRunning(_))));
    let again = provider.launch(&spec(first, Direct::RelayOnly)).await;
    assert!(matches!(again, Err(ProviderError::Ended(_))));
    provider.stop(&second).await.unwrap();
    for instance in [first, second] {
        provider.forget(&instance).await.unwrap();
        provider.forget(&instance).await.unwrap();
    }
}

/// Runs every rule for what is started at once, on a provider that is empty.
pub async fn all(provider: &dyn Provider, events: &mut mpsc::Receiver<ProviderEvent>) {
    assert_eq!(provider.list().await.unwrap(), []);
    nothing_is_there_for_a_stranger(provider).await;
    two_launches_at_once_are_one_instance(provider).await;
    a_running_instance_is_reached_and_kept(provider).await;
    a_stopped_instance_ends_once_and_for_all(provider, events).await;
    generations_stand_beside_each_other(provider).await;
    assert_eq!(provider.list().await.unwrap(), []);
}

async fn nothing_is_there_for_a_stranger(provider: &dyn Provider) {
    let stranger = instance(99, 1);
    provider.stop(&stranger).await.unwrap();
    provider.forget(&stranger).await.unwrap();
    assert!(matches!(provider.dial(&stranger).await, Err(ProviderError::NotRunning(_))));
    assert_eq!(provider.direct(&stranger).await, None);
}

async fn two_launches_at_once_are_one_instance(provider: &dyn Provider) {
    let spec = spec(instance(1, 1), Direct::Loopback);
    let (one, other) = tokio::join!(provider.launch(&spec), provider.launch(&spec));
    let (one, other) = (started(one), started(other));
    assert_eq!(one, other);
    assert_eq!(started(provider.launch(&spec).await), one);
    let list = provider.list().await.unwrap();
    assert_eq!(
        list,
        [Observed { instance: spec.instance, state: State::Running, since: one.at, told: Vec::new() }]
    );
}

async fn a_running_instance_is_reached_and_kept(provider: &dyn Provider) {
    let instance = instance(1, 1);
    for count in 1..=3 {
        let mut greeting = Vec::new();
        provider.dial(&instance).await.unwrap().read_to_end(&mut greeting).await.unwrap();
        assert_eq!(greeting.len(), count);
    }
    let address = provider.direct(&instance).await.unwrap();
    let address: std::net::SocketAddr = address.strip_prefix("ws://").unwrap().parse().unwrap();
    assert!(address.ip().is_loopback());
    let mut greeting = Vec::new();
    tokio::net::TcpStream::connect(address).await.unwrap().read_to_end(&mut greeting).await.unwrap();
    assert_eq!(greeting.len(), 4);
    assert!(matches!(provider.forget(&instance).await, Err(ProviderError::StillRunning(_))));
}

async fn a_stopped_instance_ends_once_and_for_all(
    provider: &dyn Provider,
    events: &mut mpsc::Receiver<ProviderEvent>,
) {
    let instance = instance(1, 1);
    provider.stop(&instance).await.unwrap();
    provider.stop(&instance).await.unwrap();
    let event = events.recv().await.unwrap();
    let EventKind::Exited(exit) = &event.kind else { panic!("{event:?}") };
    assert_eq!((event.instance, exit.code, exit.signal, exit.oom), (instance, Some(0), None, false));
    let list = provider.list().await.unwrap();
    assert_eq!(
        list,
        [Observed { instance, state: State::Exited(exit.clone()), since: event.at, told: Vec::new() }]
    );
    assert!(matches!(provider.dial(&instance).await, Err(ProviderError::NotRunning(_))));
    assert_eq!(provider.direct(&instance).await, None);
    let again = provider.launch(&spec(instance, Direct::RelayOnly)).await;
    assert!(matches!(again, Err(ProviderError::Ended(_))));
    provider.forget(&instance).await.unwrap();
    provider.forget(&instance).await.unwrap();
}

async fn generations_stand_beside_each_other(provider: &dyn Provider) {
    let both = [instance(1, 2), instance(1, 3)];
    for instance in both {
        let launched = started(provider.launch(&spec(instance, Direct::RelayOnly)).await);
        assert_eq!((launched.direct, provider.direct(&instance).await), (None, None));
    }
    provider.stop(&both[0]).await.unwrap();
    let mut greeting = Vec::new();
    provider.dial(&both[1]).await.unwrap().read_to_end(&mut greeting).await.unwrap();
    assert_eq!(greeting.len(), 1);
    provider.stop(&both[1]).await.unwrap();
    for instance in both {
        provider.forget(&instance).await.unwrap();
    }
}
