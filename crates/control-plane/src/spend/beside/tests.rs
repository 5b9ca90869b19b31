use domain::id::{AgentId, Generation, UserId};
use domain::price::{Purchase, Rates};
use domain::size::Size;

use super::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn of(n: u8) -> InstanceId {
    InstanceId { agent: AgentId::from_random([n; 10]), generation: Generation(1) }
}

fn ago(secs: i64) -> Timestamp {
    Timestamp(NOW.0 - secs * 1000)
}

fn run(n: u8, started: i64, ended: Option<i64>) -> Run {
    Run {
        name: format!("task-{n}-{started}"),
        instance: Some(of(n)),
        started_at: ago(started),
        ended_at: ended.map(ago),
        purchase: Some(Purchase::Spot),
    }
}

fn segment(n: u8, started: i64, ended: Option<i64>) -> Segment {
    let InstanceId { agent, generation } = of(n);
    Segment {
        agent,
        owner: UserId::from_random([9; 10]),
        generation,
        size: Size::Small,
        provider: ProviderName::Fargate,
        price: Rates::proposal().launched(ProviderName::Fargate, Size::Small, Purchase::Spot),
        started_at: ago(started),
        ended_at: ended.map(ago),
    }
}

fn beside(runs: Vec<Run>, segments: Vec<Segment>) -> Beside {
    let segments = segments.into_iter().map(|segment| (instance(&segment), segment)).collect();
    compare(ProviderName::Fargate, runs, segments, NOW)
}

#[test]
fn what_ran_as_it_was_metered_is_no_difference() {
    let found = beside(
        vec![run(1, 900, Some(300)), run(2, 200, None)],
        vec![segment(1, 900, Some(300)), segment(2, 200, None), segment(3, 9000, Some(8000))],
    );
    assert_eq!(found.gaps, []);
    assert_eq!(found.told, Ran { runs: 2, time: Duration::from_secs(800) });
    assert_eq!(found.since, Some(ago(300)));
    let mut hair = run(1, 900, Some(300));
    hair.started_at.0 += 1;
    assert_eq!(beside(vec![hair], vec![segment(1, 900, Some(300))]).gaps, []);
}

#[test]
fn each_difference_is_told_and_what_runs_unmetered_first() {
    let mut dear = run(6, 500, None);
    dear.purchase = Some(Purchase::OnDemand);
    let mut nobodys = run(7, 400, None);
    nobodys.instance = None;
    let found = beside(
        vec![
            run(1, 900, Some(301)),
            run(2, 200, None),
            run(2, 190, Some(100)),
            run(3, 80, Some(10)),
            run(4, 700, None),
            dear,
            nobodys,
            run(8, 50, None),
        ],
        vec![
            segment(1, 900, Some(300)),
            segment(2, 200, None),
            segment(3, 81, None),
            segment(4, 700, Some(20)),
            segment(5, 60, None),
            segment(6, 500, None),
        ],
    );
    let told: Vec<_> = found.gaps.iter().map(|gap| (gap.differs, gap.instance())).collect();
    let expected = [
        (Differs::Unmetered, None),
        // A second machine of the same run.
        (Differs::Unmetered, Some(of(2))),
        (Differs::Unmetered, Some(of(8))),
        (Differs::RunsOn, Some(of(4))),
        (Differs::NotThere, Some(of(5))),
        (Differs::NotThere, Some(of(3))),
        (Differs::Start, Some(of(3))),
        (Differs::Stop, Some(of(1))),
        (Differs::Purchase, Some(of(6))),
    ];
    assert_eq!(told, expected);
    assert_eq!(found.gaps[1].time(ProviderName::Fargate, NOW), Duration::from_secs(90));
    assert_eq!(found.gaps[7].time(ProviderName::Fargate, NOW), Duration::from_secs(1));
}
