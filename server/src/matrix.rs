//! Every server function and every route, as nobody and as another tenant. The
//! lists are generated: what is added later is tried as well.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use control_plane::audit;
use control_plane::embedded::{Config, Embedded};
use control_plane::fleet::Spawn;
use control_plane::orchestrator::LaunchPolicy;
use control_plane::provider::Direct;
use control_plane::{Fleet, Identity, Principal};
use domain::agent::Phase;
use domain::audit::{Actor, Entry, Outcome};
use domain::fleet::Query;
use domain::id::AgentId;
use domain::lifecycle::Policy;
use domain::role::Role;
use domain::size::Size;
use domain::spend;
use domain::tier::TierFloor;
use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::state::State;
use crate::web;

const ORIGIN: &str = "http://127.0.0.1:7007";
/// What a stranger must never read.
const SECRET_NAME: &str = "the-victims-agent";

/// Server functions that nobody needs to be to call.
const OPEN_TO_ALL: [&str; 3] = ["sign_in", "sign_in_with_password", "sign_out"];

struct House {
    router: Router,
    fleet: Arc<Fleet>,
    victim: Principal,
    agent: AgentId,
    /// The other tenant's session and token.
    cookie: String,
    token: String,
    /// A viewer's, who may look and change nothing.
    viewer: (String, String),
    identity: Arc<Identity>,
    _data: tempfile::TempDir,
}

async fn house() -> House {
    let data = tempfile::tempdir().unwrap();
    let opened = Embedded::open(Config {
        data: data.path().join("data"),
        // Never started: the orchestrator does not run here.
        agent_program: std::env::current_exe().unwrap(),
        policy: Policy::default(),
        prices: control_plane::prices::Prices::built_in(),
        notify: None,
        launches: LaunchPolicy { direct: Direct::RelayOnly, floor: TierFloor::Sandbox },
        origins: vec![ORIGIN.to_owned()],
    })
    .await
    .unwrap();
    let plane = opened.into_plane();
    let person = |name: &str, role: Role| {
        let (identity, name) = (Arc::clone(&plane.identity), name.parse().unwrap());
        async move {
            let user = identity.ensure_user(&name, role).await.unwrap();
            let link = identity.sign_in_link(user.id).await.unwrap();
            let session = identity.sign_in(link.expose(), "").await.unwrap().session;
            let who = identity.session(session.expose()).await.unwrap();
            let (_, token) = identity.create_token(&who, name).await.unwrap();
            (who, format!("session={}", session.expose()), token.expose().to_owned())
        }
    };
    let (victim, _, _) = person("victim", Role::User).await;
    let (_, cookie, token) = person("stranger", Role::User).await;
    let (_, viewer_cookie, viewer_token) = person("viewer", Role::Viewer).await;
    let spawn = Spawn { name: SECRET_NAME.parse().unwrap(), size: Size::Nano, idle_timeout: None };
    let agent = plane.fleet.spawn(&victim, spawn, None).await.unwrap().id;
    let assets = app::Assets {
        frontend_js: "/pkg/f.js".into(),
        frontend_wasm: "/pkg/f.wasm".into(),
        css: "/pkg/m.css".into(),
        xterm_js: "/pkg/x.js".into(),
    };
    let (fleet, identity) = (Arc::clone(&plane.fleet), Arc::clone(&plane.identity));
    let viewer = (viewer_cookie, viewer_token);
    let state = State::new(
        plane.fleet,
        plane.identity,
        plane.spend,
        plane.budgets,
        assets,
        data.path().join("site"),
        vec![ORIGIN.to_owned()],
    );
    House {
        router: web::router(state).unwrap(),
        fleet,
        victim,
        agent,
        cookie,
        token,
        viewer,
        identity,
        _data: data,
    }
}

impl House {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        who: Option<(&str, &str)>,
        body: &Value,
    ) -> (StatusCode, String) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:7007")
            .header(header::CONTENT_TYPE, "application/json");
        if !path.starts_with("/api/") {
            // As a browser asks for a page.
            request = request.header(header::ACCEPT, "text/html");
        }
        if let Some((name, value)) = who {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        // A stream that was opened has no end to wait for.
        let body = match response.into_body().frame().await {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            _ => Default::default(),
        };
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Every argument that any server function takes, about the victim's agent.
    fn arguments(&self, agent: &str) -> Value {
        json!({ "id": agent, "name": "taken over", "size": "nano", "idle_timeout": 60, "secs": 60,
                "key": "a-key", "token": "no-token", "allowed": true,
                "ids": [agent], "order": "wake", "role": "admin", "query": Query::default(),
                "cue": "sleep_all", "whose": { "person": "taken over" },
                "asked": spend::Query { of: spend::Scope::Fleet, ..spend::Query::default() },
                "password": "wrong, and long", "current": "", "new": "short",
                "session": "0000000000000000", "invitation": "0000000000000000", "after": null,
                "team": "", "month": null, "person": "", "act": "", "step": "accept", "access": "closed",
                "seen": { "by": "0000000000000000", "until": 0 }, "wish": "begin" })
    }

    async fn assert_untouched(&self, by: &str) {
        let view = self.fleet.get(&self.victim, self.agent).await.unwrap();
        assert_eq!((view.name.as_str(), view.version, view.phase), (SECRET_NAME, 1, Phase::Pending), "{by}");
    }
}

fn server_functions() -> BTreeSet<String> {
    leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect()
}

#[tokio::test]
async fn nobody_calls_no_server_function() {
    let house = house().await;
    let functions = server_functions();
    assert!(functions.len() >= 21, "{functions:?}");
    for path in functions {
        let (status, body) =
            house.ask(Method::POST, &path, None, &house.arguments(&house.agent.to_string())).await;
        if OPEN_TO_ALL.iter().any(|open| path.ends_with(open)) {
            assert!(!status.is_server_error(), "{path}: {status} {body}");
        } else {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}: {body}");
        }
        assert!(!body.contains(SECRET_NAME));
        house.assert_untouched(&path).await;
    }
}

#[tokio::test]
async fn another_tenant_finds_nothing_of_the_victims_by_any_server_function() {
    let house = house().await;
    let unknown = AgentId::from_random([9; 10]).to_string();
    for path in server_functions().into_iter().filter(|path| !path.ends_with("sign_out")) {
        let who = Some(("cookie", house.cookie.as_str()));
        let theirs = house.ask(Method::POST, &path, who, &house.arguments(&house.agent.to_string())).await;
        let none = house.ask(Method::POST, &path, who, &house.arguments(&unknown)).await;
        assert!(!theirs.1.contains(SECRET_NAME) && !theirs.0.is_server_error(), "{path}: {theirs:?}");
        if theirs.0 == StatusCode::NOT_FOUND || none.0 == StatusCode::NOT_FOUND {
            assert_eq!(theirs, none, "{path}: another's agent is answered like none");
        } else {
            // It took no agent's id, or it would have been looked for.
            assert!(!theirs.1.contains(&house.agent.to_string()), "{path}: {theirs:?}");
        }
        house.assert_untouched(&path).await;
    }
}

/// Method and path of every operation that the API's description names.
async fn operations(house: &House) -> Vec<(Method, String)> {
    let (status, _) = house.ask(Method::GET, "/api/v1/openapi.json", None, &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let request = Request::get("/api/v1/openapi.json").header(header::HOST, "127.0.0.1:7007");
    let response = house.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let description: Value = serde_json::from_slice(&body).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let operations: Vec<_> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase().parse().unwrap(), path.clone()))
        })
        .collect();
    assert!(operations.len() >= 14, "{operations:?}");
    operations
}

/// Routes beside the described ones that are about an agent.
const STREAMS: [(&str, &str); 7] = [
    ("/live/fleet", "cookie"),
    ("/live/agents", "cookie"),
    ("/live/agents/{id}", "cookie"),
    ("/live/looks/{id}", "cookie"),
    ("/agents/{id}/terminal", "cookie"),
    ("/agents/{id}/look/terminal", "cookie"),
    ("/api/v1/agents/{id}/terminal", "authorization"),
];

#[tokio::test]
async fn nobody_and_another_tenant_get_nothing_by_any_route() {
    let house = house().await;
    let bearer = format!("Bearer {}", house.token);
    let body = json!({ "name": "taken over", "idle_timeout": 60 });
    let mut routes: Vec<_> =
        operations(&house).await.into_iter().map(|(method, path)| (method, path, "authorization")).collect();
    routes.extend(STREAMS.map(|(path, by)| (Method::GET, path.to_owned(), by)));
    let unknown = AgentId::from_random([9; 10]).to_string();
    for (method, path, by) in routes {
        let theirs = path.replace("{id}", &house.agent.to_string());
        let (status, text) = house.ask(method.clone(), &theirs, None, &body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} as nobody: {text}");
        // A cookie is no right to the API, and a token none to the console.
        let crossed = if by == "cookie" {
            ("authorization", bearer.as_str())
        } else {
            ("cookie", house.cookie.as_str())
        };
        let (status, _) = house.ask(method.clone(), &theirs, Some(crossed), &body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} with {}", crossed.0);
        let who = Some(if by == "cookie" {
            ("cookie", house.cookie.as_str())
        } else {
            ("authorization", bearer.as_str())
        });
        if path.contains("{id}") {
            // A terminal's page of origin is looked at first; what it says is
            // the same for every agent.
            let theirs = house.ask(method.clone(), &theirs, who, &body).await;
            let none = house.ask(method.clone(), &path.replace("{id}", &unknown), who, &body).await;
            let nonsense = house.ask(method.clone(), &path.replace("{id}", "x%00"), who, &body).await;
            assert!(theirs.0.is_client_error(), "{method} {path}: {theirs:?}");
            assert_eq!(theirs, none, "{method} {path}: another's agent is answered like none");
            assert_eq!(theirs.0, nonsense.0, "{method} {path}");
        } else {
            let (_, text) = house.ask(method.clone(), &path, who, &body).await;
            assert!(!text.contains(SECRET_NAME), "{method} {path}: {text}");
        }
        house.assert_untouched(&path).await;
    }
}

/// What takes a role: server functions, then routes, and whether a viewer may.
const FOR_STAFF: [(&str, bool); 18] = [
    ("spend_report", true),
    ("budgets", false),
    ("set_budget", false),
    ("fleet_page", true),
    ("fleet_agent", true),
    ("fleet_journal", true),
    ("fleet_ids", false),
    ("fleet_order", false),
    ("fleet_drain", false),
    ("give_role", false),
    ("people", false),
    ("change_person", false),
    ("end_sessions_of", false),
    ("give_access", false),
    ("invite", false),
    ("withdraw_invitation", false),
    ("audit", false),
    ("ask_to_look", false),
];
const ROUTES_FOR_STAFF: [(&str, &str, bool); 13] = [
    ("GET", "/api/v1/budgets", false),
    ("GET", "/live/fleet", true),
    ("GET", "/api/v1/fleet", true),
    ("GET", "/api/v1/audit", false),
    ("PUT", "/api/v1/people/victim/role", false),
    ("GET", "/audit/export", false),
    ("GET", "/api/v1/people", false),
    ("PUT", "/api/v1/people/victim/team", false),
    ("PUT", "/api/v1/people/victim/access", false),
    ("DELETE", "/api/v1/people/victim/sessions", false),
    ("GET", "/api/v1/invitations", false),
    ("POST", "/api/v1/invitations", false),
    ("DELETE", "/api/v1/invitations/0000000000000000", false),
];

#[tokio::test]
async fn a_user_gets_nothing_that_takes_a_role_and_a_viewer_changes_nothing() {
    let house = house().await;
    for (function, viewers_too) in FOR_STAFF {
        let path = format!("/api/console/{function}");
        assert!(server_functions().contains(&path), "{path}");
        let arguments = house.arguments(&house.agent.to_string());
        let user = house.ask(Method::POST, &path, Some(("cookie", &house.cookie)), &arguments).await;
        let viewer = house.ask(Method::POST, &path, Some(("cookie", &house.viewer.0)), &arguments).await;
        assert_eq!(user.0, StatusCode::FORBIDDEN, "{path}: {user:?}");
        let expected = if viewers_too { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(viewer.0, expected, "{path}: {viewer:?}");
        let shows_agents = viewers_too && !["fleet_journal", "spend_report"].contains(&function);
        assert_eq!(viewer.1.contains(SECRET_NAME), shows_agents, "{path}: {viewer:?}");
        house.assert_untouched(&path).await;
    }
    for (method, path, viewers_too) in ROUTES_FOR_STAFF {
        let method: Method = method.parse().unwrap();
        let body = match path {
            path if path.ends_with("/role") => json!({ "role": "admin" }),
            path if path.ends_with("/access") => json!({ "access": "closed" }),
            path if path.ends_with("/team") => json!({ "team": "mine" }),
            _ => json!({ "name": "new" }),
        };
        let (name, [user, viewer]) = if path.starts_with("/api/") {
            ("authorization", [&house.token, &house.viewer.1].map(|token| format!("Bearer {token}")))
        } else {
            ("cookie", [house.cookie.clone(), house.viewer.0.clone()])
        };
        let user = house.ask(method.clone(), path, Some((name, &user)), &body).await;
        let viewer = house.ask(method.clone(), path, Some((name, &viewer)), &body).await;
        assert_eq!(user.0, StatusCode::FORBIDDEN, "{path}: {user:?}");
        let expected = if viewers_too { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(viewer.0, expected, "{path}: {viewer:?}");
    }
    // Each act that was refused is in the log, with who it was: once a minute,
    // however often it was tried.
    let entries: Vec<Entry> = house.identity.audit().since(audit::FIRST).try_collect().await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .filter(|entry| entry.outcome == Outcome::Refused)
        .map(|entry| match &entry.actor {
            Actor::Person { name, .. } => (name.as_str(), entry.act.as_str()),
            Actor::CommandLine => panic!("nobody is refused there: {entry:?}"),
        })
        .collect();
    let each: BTreeSet<_> = told.iter().copied().collect();
    assert_eq!(told.len(), each.len(), "{told:?}");
    let acts = |of: &str| -> BTreeSet<&str> {
        each.iter().filter(|(name, _)| *name == of).map(|(_, act)| *act).collect()
    };
    let (user, viewer) = (acts("stranger"), acts("viewer"));
    assert_eq!(each.len(), user.len() + viewer.len(), "{each:?}");
    assert!(viewer.is_subset(&user) && !viewer.contains("look_into_agent"), "{each:?}");
    for act in ["see_people", "see_budgets", "invite", "read_audit", "ask_to_look", "drain_provider"] {
        assert!(viewer.contains(act) && user.contains(act), "{act}: {each:?}");
    }

    let page =
        async |cookie: &str| house.ask(Method::GET, "/fleet", Some(("cookie", cookie)), &Value::Null).await;
    let (status, text) = page(&house.cookie).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{text}");
    assert!(!text.contains(SECRET_NAME));
    assert_eq!(page(&house.viewer.0).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_feed_that_a_role_opened_ends_with_the_role() {
    let house = house().await;
    let request = Request::get("/live/fleet")
        .header(header::HOST, "127.0.0.1:7007")
        .header(header::COOKIE, &house.viewer.0)
        .body(Body::empty())
        .unwrap();
    let mut body = house.router.clone().oneshot(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(String::from_utf8_lossy(&first).contains(SECRET_NAME));
    house.identity.set_role(&"viewer".parse().unwrap(), Role::User).await.unwrap();
    // It ends at all: a feed whose right is never looked at goes on for ever.
    while let Some(frame) = body.frame().await {
        frame.unwrap();
    }
}

#[tokio::test]
async fn pages_of_another_tenants_agent_are_like_pages_of_none() {
    let house = house().await;
    let who = Some(("cookie", house.cookie.as_str()));
    let page = |id: String| format!("/agents/{id}");
    let theirs = house.ask(Method::GET, &page(house.agent.to_string()), who, &Value::Null).await;
    let none =
        house.ask(Method::GET, &page(AgentId::from_random([9; 10]).to_string()), who, &Value::Null).await;
    assert_eq!((theirs.0, none.0), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    for path in ["/", "/settings", &page(house.agent.to_string())] {
        let (status, text) = house.ask(Method::GET, path, None, &Value::Null).await;
        assert_eq!(status, StatusCode::FOUND, "{path}: {text}");
        assert!(!text.contains(SECRET_NAME));
    }
}

#[tokio::test]
async fn another_sites_page_and_another_name_for_this_address_are_refused() {
    let house = house().await;
    let send = |name: &'static str, value: &'static str, host: &'static str| {
        let request = Request::post("/api/console/sign_out")
            .header(header::HOST, host)
            .header(header::COOKIE, &house.cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .header(name, value)
            .body(Body::from("{}"))
            .unwrap();
        let router = house.router.clone();
        async move { router.oneshot(request).await.unwrap().status() }
    };
    assert_eq!(send("sec-fetch-site", "cross-site", "127.0.0.1:7007").await, StatusCode::FORBIDDEN);
    assert_eq!(send("origin", "https://evil.example", "127.0.0.1:7007").await, StatusCode::FORBIDDEN);
    assert_eq!(send("x-nothing", "x", "evil.example").await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(send("sec-fetch-site", "same-origin", "127.0.0.1:7007").await, StatusCode::OK);
}
