//! `serve`: opens the control plane, binds what is to be bound, and runs until
//! told to stop. Agents go on without it.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use control_plane::aws::{Account, Settings};
use control_plane::budgets::Endpoint;
use control_plane::embedded::{self, Embedded};
use control_plane::link::Link;
use control_plane::orchestrator::LaunchPolicy;
use control_plane::plane::ControlPlane;
use control_plane::prices::{self, Prices};
use control_plane::provider::Direct;
use control_plane::store::Hash;
use control_plane::{descriptors, egress};
use domain::lifecycle::Policy;
use domain::name::Name;
use domain::price::PriceBook;
use domain::protocol::Secret;
use domain::role::Role;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

use crate::config::{Duties, Engine, Serve, Terminals};
use crate::listener::{self, Bounds, Guest};
use crate::state::{Proxies, Shown, State};
use crate::{instances, site, stage, web};

/// How long requests that are under way may take once the server is to stop.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a port that is taken is tried again.
const PORT_PATIENCE: Duration = Duration::from_secs(2);
/// How long a request's head may take. Proxies keep connections for the next
/// one, ours in AWS for two minutes: they must be the first to let go.
const HEAD: Duration = Duration::from_secs(30);
const HEAD_BY_PROXY: Duration = Duration::from_secs(150);
/// Connections of one address at most: a house is one.
const BY_ADDRESS: usize = 4096;
/// For instances, whose connections to the control plane are short.
const HEAD_BY_INSTANCE: Duration = Duration::from_secs(15);
/// Connections of one instance at most: it reads its state over some twenty.
const BY_INSTANCE: usize = 48;
/// Who the link printed at start is for.
const OWNER: &str = "owner";

/// The console's address, in a file of the data folder.
pub const ADDRESS: &str = "address";

pub async fn serve(mut options: Serve) -> anyhow::Result<()> {
    if options.demo {
        stage::clear_abandoned().await;
    }
    let descriptors = descriptors::raise().context("the limit of open files")?;
    // A quarter each for people and for instances: a person's terminal takes another to get there.
    let places = usize::try_from(descriptors / 4)?;
    let stage = options.demo.then(|| stage::prepare(&mut options)).transpose()?;
    let assets = site::assets(&options.site)?;
    let listener = listen(options.listen)
        .await
        .with_context(|| format!("listening on {}: is a server running there already?", options.listen))?;
    let address = listener.local_addr()?;
    let origins = if options.origin.is_empty() { origins_of(address) } else { options.origin.clone() };
    let stop = CancellationToken::new();
    let plane = match options.engine {
        Engine::Embedded => embedded(&options, &origins, places).await?,
        Engine::Aws => aws(&options, &origins, places).await?,
    };
    let demo = match &stage {
        Some(stage) => Some(stage.open(&plane.identity, options.demo_seed, &origins).await?),
        None => None,
    };
    if let Some(demo) = demo.as_ref().filter(|_| options.demo_loop) {
        let round = Duration::from_secs(options.demo_round.into());
        tokio::spawn(stop.clone().run_until_cancelled_owned(Arc::clone(demo).run_by_itself(round)));
    }
    let running = Arc::clone(&plane.orchestrator);
    let orchestrator = (options.duties == Duties::All)
        .then(|| tokio::spawn(plane.orchestrator.run(plane.events, stop.clone())));
    tokio::spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&plane.identity).watch()));
    println!("listening on http://{address}");
    if options.engine == Engine::Embedded {
        let owner = if options.demo { stage::PRESENTER } else { OWNER };
        let owner: Name = owner.parse().context("the owner's name")?;
        let owner = plane.identity.ensure_user(&owner, Role::Admin).await?;
        let link = plane.identity.link_person(&owner).await?;
        println!("sign-in link: {}", sign_in_link(origins.first().context("no origin")?, link.expose()));
    }

    let mut state =
        State::new(plane.fleet, plane.identity, plane.spend, plane.budgets, assets, options.site, origins);
    state.proxies = Proxies(options.proxies);
    state.shown = Shown(options.proxy_secret.as_ref().map(|secret| Hash::of(secret.as_bytes())));
    let router = match &demo {
        Some(demo) => web::stage::router(state, Arc::clone(demo))?,
        None => web::router(state)?,
    };
    // A letter that is echoed goes at once, not when the last one's receipt has come.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection's small packets will be late");
        }
    });
    let bounds = match options.proxies {
        0 => Bounds { connections: places, each: BY_ADDRESS.min(places / 4), head: HEAD },
        // All that come through them are one peer.
        _ => Bounds { connections: places, each: places, head: HEAD_BY_PROXY },
    };
    let server = tokio::spawn(listener::serve(listener, router, bounds, stop.clone()));
    told_to_stop().await?;
    stop.cancel();
    // Streams last as long as their viewers: they are cut, and reconnect.
    let _ = tokio::time::timeout(DRAIN, server).await;
    if let Some(orchestrator) = orchestrator {
        orchestrator.await?;
    }
    if let (Some(stage), Some(demo)) = (stage, demo) {
        demo.end().await;
        stage.clear(&running).await;
    }
    Ok(())
}

/// On this machine. What it holds, it holds until the process ends.
async fn embedded(options: &Serve, origins: &[String], places: usize) -> anyhow::Result<ControlPlane> {
    anyhow::ensure!(options.duties == Duties::All, "--duties web is for --engine aws");
    let book = prices(options)?.unwrap_or_else(PriceBook::proposal);
    let prices = Prices { book, ..Prices::built_in() };
    let data = options.data.folder()?;
    let opened = Embedded::open(embedded::Config {
        data: data.clone(),
        agent_program: agent_program(options.agent.clone())?,
        policy: policy(options),
        prices,
        notify: notify(options),
        launches: LaunchPolicy {
            direct: match options.terminals {
                Terminals::Relay => Direct::RelayOnly,
                Terminals::Direct => Direct::Loopback,
            },
            floor: options.isolation.into(),
        },
        origins: origins.to_vec(),
    })
    .await?;
    let Embedded { plane, run, .. } = &opened;
    let control = socket(&run.join("control.sock"))?;
    tokio::spawn(for_instances(control, Arc::clone(&plane.link), places));
    let proxy = egress::Proxy::new(egress::Policy::for_hosts(&options.egress)?);
    tokio::spawn(proxy.serve(socket(&run.join("egress.sock"))?));
    // For links that are made later, by another process.
    if let Err(error) = std::fs::write(data.join(ADDRESS), origins.first().context("no origin")?) {
        tracing::warn!(%error, "the console's address was not written down: `user add` needs --origin");
    }
    Ok(opened.into_plane())
}

/// In an AWS account.
async fn aws(options: &Serve, origins: &[String], places: usize) -> anyhow::Result<ControlPlane> {
    let all = options.duties == Duties::All;
    let settings = Settings {
        policy: policy(options),
        prices: prices(options)?,
        notify: notify(options),
        origins: origins.to_vec(),
        floor: options.isolation.into(),
        hears: all,
    };
    let installation = options.aws.whole(!all)?;
    let plane = Account::find().await?.open(installation, settings).await;
    let plane = plane.context("this installation can't start")?;
    if !all {
        return Ok(plane);
    }
    let listener = listen(options.aws.instances_listen)
        .await
        .with_context(|| format!("listening on {} for instances", options.aws.instances_listen))?;
    tokio::spawn(for_instances(listener, Arc::clone(&plane.link), places));
    Ok(plane)
}

/// The instances' counter, as long as the process lives.
async fn for_instances<L>(listener: L, link: Arc<Link>, connections: usize)
where
    L: axum::serve::Listener<Io: Guest>,
{
    let bounds = Bounds { connections, each: BY_INSTANCE, head: HEAD_BY_INSTANCE };
    listener::serve(listener, instances::router(link), bounds, CancellationToken::new()).await;
}

fn policy(options: &Serve) -> Policy {
    Policy {
        idle_timeout: options.idle_timeout,
        save_every: Duration::from_secs(options.save_every.into()),
        ..Policy::default()
    }
}

fn notify(options: &Serve) -> Option<Endpoint> {
    let secret = options.notify_secret.clone().map(Secret::new);
    options.notify_url.clone().map(|url| Endpoint { url, secret })
}

fn prices(options: &Serve) -> anyhow::Result<Option<PriceBook>> {
    options.prices.as_deref().map(prices::load).transpose().context("the price book is refused")
}

/// Binds the address. A server that was killed while it started a sandbox leaves
/// its port to a child for the blink until that becomes another program.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let patience = tokio::time::Instant::now() + PORT_PATIENCE;
    loop {
        match TcpListener::bind(address).await {
            Err(error)
                if error.kind() == std::io::ErrorKind::AddrInUse
                    && tokio::time::Instant::now() < patience =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome,
        }
    }
}

/// The address of a link that signs in. The secret is in the fragment, which
/// no server or proxy sees.
pub fn sign_in_link(origin: &str, secret: &str) -> String {
    format!("{origin}/sign-in#{secret}")
}

/// What browsers call an address that is listened on.
fn origins_of(address: SocketAddr) -> Vec<String> {
    let mut origins = vec![format!("http://{address}")];
    if address.ip().is_loopback() {
        origins.push(format!("http://localhost:{}", address.port()));
    }
    origins
}

fn agent_program(told: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let path = match told {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("openclaw-agent"),
    };
    path.canonicalize()
        .with_context(|| format!("{}: the agent program; name it with --agent", path.display()))
}

/// A socket that every sandbox may connect to; who may ask for what is decided
/// by what they say.
fn socket(path: &Path) -> anyhow::Result<UnixListener> {
    let doing = || format!("the socket {}", path.display());
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).with_context(doing),
        _ => {}
    }
    // By the folder's descriptor: the path itself may be longer than an address holds.
    let (folder, name) = path.parent().zip(path.file_name()).with_context(doing)?;
    let folder = std::fs::File::open(folder).with_context(doing)?;
    let address = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    let listener = UnixListener::bind(address).with_context(doing)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o666)).with_context(doing)?;
    Ok(listener)
}

async fn told_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
