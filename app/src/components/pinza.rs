//! Pinza, the cup that is also a lobster.

use domain::agent::Phase;
use domain::boot::BootPhase;
use domain::view::AgentView;
use leptos::prelude::*;

/// How Pinza is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Asleep,
    /// Filled by so many phases of a boot, 0–5.
    Waking(u8),
    Awake,
    Failed,
}

impl Mood {
    /// The mood of an agent.
    pub fn of(view: &AgentView) -> Self {
        match view.phase {
            Phase::Pending | Phase::Provisioning | Phase::Booting => Self::Waking(level(view)),
            Phase::Running | Phase::Saving | Phase::Interrupted { .. } => Self::Awake,
            Phase::Asleep | Phase::Deleting | Phase::Deleted => Self::Asleep,
            Phase::Failed { .. } => Self::Failed,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Asleep => "asleep",
            Self::Waking(_) => "waking",
            Self::Awake => "awake",
            Self::Failed => "failed",
        }
    }
}

/// How many phases of the boot are behind it.
fn level(view: &AgentView) -> u8 {
    let current = view.boot.current();
    let all = BootPhase::of(view.provider);
    let behind = all.iter().filter(|phase| Some(**phase) < current).count();
    u8::try_from(behind * 5 / (all.len() - 1)).unwrap_or(5)
}

const BEFORE: &str = r#"<ellipse class="pinza-shade" cx="100" cy="180" rx="74" ry="10"/><g class="pinza-whole"><path class="pinza-steam" pathLength="1" d="M84 80c-14-14 10-24-4-40-8-9-4-18 2-24"/><path class="pinza-steam" pathLength="1" d="M116 80c-14-14 10-24-4-40-8-9-4-18 2-24"/><g class="pinza-left"><path class="pinza-arm" d="M58 128c-20 4-30-6-28-26"/><path class="pinza-claw" d="M32 108C9 102 7 70 27 56c2 12 5 19 11 25 1-11 5-17 13-21 9 20 2 42-19 48z"/></g><g class="pinza-right"><path class="pinza-arm" d="M142 128c20 4 30-6 28-26"/><path class="pinza-claw" d="M168 108c23-6 25-38 5-52-2 12-5 19-11 25-1-11-5-17-13-21-9 20-2 42 19 48z"/></g><ellipse class="pinza-saucer" cx="100" cy="172" rx="58" ry="9"/>"#;
const CUP: &str = "M54 86h92v36c0 30-17 47-46 47s-46-17-46-47z";
const WAVE: &str = "M40 86q14-7 28 0t28 0 28 0 28 0 28 0v100H40z";
const AFTER: &str = r#"<ellipse class="pinza-rim" cx="100" cy="86" rx="48.5" ry="10"/><ellipse class="pinza-coffee" cx="100" cy="87" rx="40" ry="6.5"/><path class="pinza-crema" d="M72 87c8-4 18 3 28 0s14-2 20 0"/><g class="pinza-face"><path class="pinza-lid" d="M74 120c5 6 13 6 18 0M108 120c5 6 13 6 18 0"/><g class="pinza-open"><circle class="pinza-eye" cx="83" cy="120" r="11"/><circle class="pinza-eye" cx="117" cy="120" r="11"/><circle class="pinza-pupil" cx="85" cy="121" r="5.5"/><circle class="pinza-pupil" cx="119" cy="121" r="5.5"/></g><path class="pinza-mouth" d="M94 139c4 3.5 8 3.5 12 0"/></g></g><text class="pinza-zzz" x="140" y="66">z</text><text class="pinza-zzz" x="156" y="44">Z</text>"#;

/// The drawing: an empty cup that fills, or a solid one. `id` is unique among
/// those of a page that fill.
fn drawing(fills: bool, id: &str) -> String {
    if !fills {
        return format!(r#"{BEFORE}<path class="pinza-body" d="{CUP}"/>{AFTER}"#);
    }
    format!(
        r#"<clipPath id="pinza-cup-{id}"><path d="{CUP}"/></clipPath>{BEFORE}<path class="pinza-empty" d="{CUP}"/><g clip-path="url(#pinza-cup-{id})"><g class="pinza-life"><path class="pinza-wave" d="{WAVE}"/></g></g><path class="pinza-outline" d="{CUP}"/>{AFTER}"#
    )
}

/// Pinza in a mood. `id` is unique on the page: letters, digits, hyphens.
#[component]
pub fn Pinza(#[prop(into)] mood: Signal<Mood>, #[prop(into)] id: String) -> impl IntoView {
    let fills = Memo::new(move |_| matches!(mood.get(), Mood::Waking(_)));
    let level = move || match mood.get() {
        Mood::Waking(level) => Some(level.to_string()),
        _ => None,
    };
    view! {
        <svg
            class="pinza"
            viewBox="0 0 200 200"
            aria-hidden="true"
            data-mood=move || mood.get().as_str()
            data-level=level
            inner_html=move || drawing(fills.get(), &id)
        ></svg>
    }
    .into_any()
}
