//! From enrolment to the end.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::FailureReason;
use domain::boot::BootPhase;
use domain::protocol::{EnrolReply, Report, from_hex};
use domain::ticket::TicketVerifier;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::config::{Config, ControlAddress};
use crate::confine::Socket;
use crate::control::{Client, Failure, Link, enrol, is_over, objects};
use crate::gate::Gate;
use crate::reaper::Reaper;
use crate::save::{Saver, Stage};
use crate::serve::{Instance, Listener, serve};
use crate::terminal::{Shell, Terminals};
use crate::usage::Usage;
use crate::{certificate, home, proxy};

/// What works is looked at this often, so that there is a past to compare with.
const LOOK: Duration = Duration::from_secs(5);

/// Why the instance ends otherwise than asked and done.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    #[error(transparent)]
    Enrol(#[from] crate::control::EnrolError),
    #[error("the control plane's keys make no sense")]
    Keys,
    #[error("browsers can't be served: {0}")]
    Certificate(String),
    #[error("the saved state could not be brought back: {0}")]
    Hydrate(String),
    #[error("{doing}: {source}")]
    Io { doing: &'static str, source: std::io::Error },
    #[error("the control plane does not take reports: {0}")]
    Report(Failure),
    #[error("it was asked to end and its state is not saved")]
    NotSaved,
}

fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Fatal {
    move |source| Fatal::Io { doing, source }
}

/// Runs the instance until it is asked to end.
///
/// # Errors
/// [`Fatal`] when it could not do what it was asked; `Ok` only when there is
/// nothing left to save.
pub async fn run(config: Config, sockets: Vec<Socket>) -> Result<(), Fatal> {
    let mut asked = Asked::new().map_err(io("listening for signals"))?;
    let reaper = Arc::new(Reaper::default());
    tokio::spawn({
        let reaper = Arc::clone(&reaper);
        async move { reaper.run().await }
    });
    let Booted { instance, link, every, tls } = tokio::select! {
        booted = boot(&config, reaper) => booted?,
        // Nothing ran yet, and what is half hydrated must not be saved.
        () = asked.finish() => return Ok(()),
    };
    for socket in sockets {
        let listener = Listener::new(socket, tls.clone()).map_err(io("taking the socket"))?;
        tokio::spawn(serve(Arc::clone(&instance), listener));
    }
    report(&link, &Report::Ready).await?;
    if let Some(every) = every {
        tokio::spawn(Arc::clone(&instance.saver).keep_saving(every));
    }
    asked.finish().await;
    match instance.saver.finish().await {
        Stage::Saved => Ok(()),
        _ => Err(Fatal::NotSaved),
    }
}

/// An instance that is about to serve.
struct Booted {
    instance: Arc<Instance>,
    link: Link,
    /// Between saves.
    every: Option<Duration>,
    /// For browsers.
    tls: Option<TlsAcceptor>,
}

async fn boot(config: &Config, reaper: Arc<Reaper>) -> Result<Booted, Fatal> {
    let client = Arc::new(Client::new(config.control.clone()));
    let (reply, link) = enrol(&client, config).await?;
    tracing::info!(instance = %config.instance, "enrolled");
    let key = from_hex(reply.repository_key.expose()).ok_or(Fatal::Keys)?;
    let ticket_key = from_hex(&reply.ticket_key).ok_or(Fatal::Keys)?;
    let verifier = TicketVerifier::new(&ticket_key).map_err(|_| Fatal::Keys)?;
    let tls =
        reply.certificate.as_ref().map(certificate::acceptor).transpose().map_err(Fatal::Certificate)?;
    let every = Some(Duration::from_secs(reply.save_every.into())).filter(|every| !every.is_zero());
    let objects = objects(&link, &reply.objects);
    let saver = Arc::new(Saver::new(config.home.clone(), link.clone(), objects, key));
    let is_new = bring_back(&reply, &saver, config, &link).await?;
    report(&link, &Report::Boot { phase: BootPhase::Starting }).await?;
    let greeting = is_new.then(home::greeting);
    let instance = Arc::new(Instance {
        gate: Gate::new(config.instance, verifier, reply.origins),
        terminals: Terminals::new(Shell::find(&config.home, config.tenant), reaper, greeting),
        usage: Usage::default(),
        saver,
    });
    tokio::spawn(look(Arc::clone(&instance), link.clone()));
    if let ControlAddress::Unix(control) = config.control.clone()
        && (std::process::id() == 1 || control.with_file_name("egress.sock").exists())
    {
        tokio::spawn(async move {
            if let Err(error) = proxy::run(&control).await {
                tracing::warn!(%error, "there is no way out");
            }
        });
    }
    Ok(Booted { instance, link, every, tls })
}

/// Brings the saved home back, or makes a new one. Says whether it is new.
async fn bring_back(reply: &EnrolReply, saver: &Saver, config: &Config, link: &Link) -> Result<bool, Fatal> {
    let Some(snapshot) = reply.snapshot.clone() else {
        home::furnish(&config.home).map_err(io("making a home"))?;
        return Ok(true);
    };
    if let Err(detail) = saver.hydrate(snapshot).await {
        let told = Report::BootFailed { reason: FailureReason::HydrateFailed, detail: detail.clone() };
        if let Err(failure) = link.report(&told).await {
            tracing::warn!(%failure, "the control plane does not know that hydrating failed");
        }
        return Err(Fatal::Hydrate(detail));
    }
    Ok(false)
}

/// A phase that the control plane knows already is news to nobody.
async fn report(link: &Link, report: &Report) -> Result<(), Fatal> {
    match link.report(report).await {
        Err(failure) if !is_over(&failure) => Err(Fatal::Report(failure)),
        _ => Ok(()),
    }
}

/// Looks at what works, and tells the control plane when a warning was answered.
async fn look(instance: Arc<Instance>, link: Link) {
    let mut times = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = times.tick() => {
                if !instance.terminals.all().is_empty() {
                    instance.usage.look(&instance.terminals);
                }
            }
            () = instance.usage.answered() => {
                if let Err(failure) = link.report(&Report::InUse).await {
                    tracing::warn!(%failure, "the control plane does not know that the agent is used");
                }
            }
        }
    }
}

/// The ways to be asked to end.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn finish(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
