//! A demonstration's console: one door, and behind it two fleets, the one that
//! is played and this machine's own. A browser's cookie says which it looks at;
//! who may do what is asked in each as ever.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use app::{Part, Stage};
use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use control_plane::demo::Demo;
use tower::ServiceExt as _;

use crate::state::State;

/// The whole of it.
///
/// # Errors
/// As [`super::router`].
pub fn router(state: State, demo: Arc<Demo>) -> anyhow::Result<Router> {
    let played = Arc::new(Played { router: Mutex::new(None), state: state.clone(), demo: Arc::clone(&demo) });
    // Whatever is wrong with it is said now, and not to the first who asks.
    drop(played.router()?);
    let real = super::router(state.on(Stage { demo, part: Part::Real, show: 0 }, None))?;
    Ok(Router::new().fallback(move |request: Request| {
        let router = match part(&request) {
            Part::Real => Ok(real.clone()),
            Part::Played => played.router(),
        };
        async move { answer(router, request).await }
    }))
}

async fn answer(router: anyhow::Result<Router>, request: Request) -> Response {
    match router {
        Ok(router) => router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {}),
        Err(error) => {
            tracing::error!(%error, "the demonstration's console was not made");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn part(request: &Request) -> Part {
    let cookies = request.headers().get_all(header::COOKIE).into_iter();
    let mut cookies = cookies.filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    cookies.find_map(|cookie| Part::of_cookie(cookie.trim())).unwrap_or(Part::Played)
}

/// The console of what is played, made anew when that has begun anew.
struct Played {
    router: Mutex<Option<(u32, Router)>>,
    state: State,
    demo: Arc<Demo>,
}

impl Played {
    fn router(&self) -> anyhow::Result<Router> {
        let show = self.demo.show();
        let mut known = self.router.lock().expect("no holder panics");
        if let Some((number, router)) = known.as_ref()
            && *number == show.number
        {
            return Ok(router.clone());
        }
        let stage = Stage { demo: Arc::clone(&self.demo), part: Part::Played, show: show.number };
        let router = super::router(self.state.on(stage, Some(&show)))?;
        *known = Some((show.number, router.clone()));
        Ok(router)
    }
}
