use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use domain::id::{AgentId, Generation, InstanceId, SnapshotId};
use domain::protocol::{EnrolReply, EnrolRequest, Objects, Report, Secret, SnapshotCommit, control, to_hex};
use domain::ticket::{Claims, Scope, Ticket, TicketSigner};
use domain::time::Timestamp;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use repository::{FolderStore, ObjectError, ObjectStore as _};
use tokio::net::UnixListener;

pub const NONCE: &str = "canary-nonce";
const TOKEN: &str = "canary-token";
pub const ORIGIN: &str = "http://127.0.0.1:7700";

/// What it was told, and what it shall answer.
#[derive(Default)]
pub struct State {
    pub binding: Option<String>,
    pub reports: Vec<Report>,
    pub commits: Vec<SnapshotCommit>,
    pub snapshot: Option<SnapshotId>,
    /// Answers commits with this instead.
    pub refuses_commits: Option<StatusCode>,
    /// Answers so many enrolments with 503 first.
    pub too_early: u32,
    /// Answers writes with this instead.
    pub refuses_writes: Option<StatusCode>,
    /// Takes as long for each write.
    pub slow_writes: Duration,
    /// Answers everything with 503.
    pub away: bool,
    pub requests: Vec<String>,
    /// Seconds between saves unasked; 0: none.
    pub save_every: u32,
}

pub struct Control {
    folder: tempfile::TempDir,
    pub instance: InstanceId,
    signer: TicketSigner,
    state: Mutex<State>,
}

impl Control {
    /// Serves from now on.
    pub fn start() -> Arc<Self> {
        let control = Self::closed();
        let listener = UnixListener::bind(control.socket()).unwrap();
        super::open_way(control.folder.path());
        std::fs::set_permissions(control.socket(), std::fs::Permissions::from_mode(0o666)).unwrap();
        control.clone().serve(listener);
        control
    }

    /// Not there yet.
    pub fn closed() -> Arc<Self> {
        let instance = InstanceId { agent: AgentId::from_random([7; 10]), generation: Generation(3) };
        Arc::new(Self {
            folder: tempfile::tempdir().unwrap(),
            instance,
            signer: TicketSigner::new(&[5; 32]),
            state: Mutex::default(),
        })
    }

    pub fn serve(self: Arc<Self>, listener: UnixListener) {
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let control = Arc::clone(&self);
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let control = Arc::clone(&control);
                        async move { Ok::<_, std::convert::Infallible>(control.answer(request).await) }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn has_report(&self, report: &Report) -> bool {
        self.state().reports.contains(report)
    }

    pub fn is_ready(&self) -> bool {
        self.has_report(&Report::Ready)
    }

    /// A ticket with the given changes to one that is right.
    pub fn ticket_with(&self, scope: Scope, change: impl FnOnce(&mut Claims)) -> Ticket {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).unwrap();
        let expires_at = Timestamp(agent::gate::now().0 + 30_000);
        let mut claims = Claims { scope, instance: self.instance, expires_at, nonce };
        change(&mut claims);
        self.signer.sign(&claims)
    }

    pub fn ticket(&self, scope: Scope) -> Ticket {
        self.ticket_with(scope, |_| {})
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.state().requests.push(format!("{} {}", parts.method, parts.uri));
        if self.state().away {
            return answer(StatusCode::SERVICE_UNAVAILABLE, "later");
        }
        let path = parts.uri.path();
        if path == control::ENROL {
            return self.enrol(&body);
        }
        let bearer = format!("Bearer {TOKEN}");
        if parts.headers.get(header::AUTHORIZATION).is_none_or(|value| value != bearer.as_str()) {
            return answer(StatusCode::UNAUTHORIZED, "who are you?");
        }
        match path {
            control::REPORT => {
                self.state().reports.push(serde_json::from_slice(&body).unwrap());
                answer(StatusCode::NO_CONTENT, "")
            }
            control::SNAPSHOTS => {
                if let Some(status) = self.state().refuses_commits {
                    return answer(status, "no commit");
                }
                let commit: SnapshotCommit = serde_json::from_slice(&body).unwrap();
                let mut state = self.state();
                state.snapshot = Some(commit.id.clone());
                state.commits.push(commit);
                answer(StatusCode::NO_CONTENT, "")
            }
            _ => {
                let rest = path.strip_prefix(control::REPOSITORY).unwrap().trim_start_matches('/').to_owned();
                let range = parts.headers.get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
                let store = FolderStore::new(&self.objects());
                if parts.method == Method::PUT
                    && let Some(status) = self.state().refuses_writes
                {
                    return answer(status, "no room");
                }
                if parts.method == Method::PUT {
                    let slow = self.state().slow_writes;
                    tokio::time::sleep(slow).await;
                }
                tokio::task::spawn_blocking(move || object(&store, &parts.method, &rest, range, body))
                    .await
                    .unwrap()
            }
        }
    }

    fn enrol(&self, body: &[u8]) -> Response<Full<Bytes>> {
        let request: EnrolRequest = serde_json::from_slice(body).unwrap();
        let mut state = self.state();
        if state.too_early > 0 {
            state.too_early -= 1;
            return answer(StatusCode::SERVICE_UNAVAILABLE, "too early");
        }
        let binding = request.binding.expose().to_owned();
        let known = state.binding.get_or_insert_with(|| binding.clone());
        if request.instance != self.instance || request.nonce.expose() != NONCE || *known != binding {
            return answer(StatusCode::UNAUTHORIZED, "no such enrolment");
        }
        let reply = EnrolReply {
            token: Secret::new(TOKEN.to_owned()),
            ticket_key: to_hex(&self.signer.public_key()),
            repository_key: Secret::new(to_hex(&[9; 32])),
            objects: Objects::ControlPlane,
            snapshot: state.snapshot.clone(),
            save_every: state.save_every,
            origins: vec![ORIGIN.to_owned()],
            certificate: None,
        };
        Response::new(Full::new(serde_json::to_vec(&reply).unwrap().into()))
    }
}

fn object(
    store: &FolderStore,
    method: &Method,
    path: &str,
    range: Option<String>,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let (kind, name) = path.split_once('/').unwrap_or((path, ""));
    let kind = kind.parse().unwrap();
    let done: Result<Bytes, ObjectError> = match (method, name.is_empty()) {
        (&Method::GET, true) => store.list(kind).map(|all| {
            let rows: Vec<_> = all.into_iter().map(|object| (object.name.to_string(), object.size)).collect();
            serde_json::to_vec(&rows).unwrap().into()
        }),
        (&Method::GET, false) => match range {
            None => store.read(kind, &name.parse().unwrap()),
            Some(range) => {
                let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
                store.read_range(kind, &name.parse().unwrap(), first, last - first + 1)
            }
        },
        (&Method::PUT, false) => store.write(kind, &name.parse().unwrap(), &[body]).map(|()| Bytes::new()),
        (&Method::DELETE, false) => store.remove(kind, &name.parse().unwrap()).map(|()| Bytes::new()),
        _ => panic!("{method} {path}"),
    };
    match done {
        Ok(content) => Response::new(Full::new(content)),
        Err(ObjectError::NotFound(_)) => answer(StatusCode::NOT_FOUND, "no such object"),
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn answer(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *answer.status_mut() = status;
    answer
}

/// The files under a folder, by path.
pub fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(name, content)| {
                (format!("{}/{name}", path.file_name().unwrap().to_string_lossy()), content)
            }));
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
