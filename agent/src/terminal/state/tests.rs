use super::*;

const LIFE: Life = Life { number: 0, epoch: 7 };

fn state() -> (State, Instant) {
    (State::new(Grid { cols: 80, rows: 24 }), Instant::now())
}

/// Puts out as much as may be; says until when no more may.
fn fill(state: &mut State, now: Instant) -> Option<Instant> {
    loop {
        match state.room(now) {
            Room::For(most) => state.push(&[b'x'; 1024][..most.min(1024)], now),
            Room::None { until } => return until,
        }
    }
}

#[test]
fn one_who_draws_nothing_holds_the_program_up_for_ten_seconds_and_no_longer() {
    let (mut state, now) = state();
    state.push(b"hello", now);
    state.attach(LIFE, 1, Part::Uses, None, now);
    state.detach(0, now);
    // This one is drawn the screen, and acknowledges nothing ever after.
    let since = now + Duration::from_secs(100);
    let attached = state.attach(LIFE, 2, Part::Uses, None, since);
    assert_eq!(attached.frames.len(), 2);
    let later = since + Duration::from_secs(1000);
    assert_eq!(fill(&mut state, later), Some(later + STALLED));
    assert!(matches!(state.room(later + STALLED / 2), Room::None { .. }));
    assert_eq!(state.room(later + STALLED), Room::For(RING));
}

#[test]
fn no_program_waits_for_one_who_looks() {
    let (mut state, now) = state();
    let owner = state.attach(LIFE, 1, Part::Uses, None, now).slot;
    state.push(b"hello", now);
    let looker = state.attach(LIFE, 2, Part::Looks, None, now).slot;
    // The owner draws all there is; who looks acknowledges nothing.
    for _ in 0..4 * RING / 1024 {
        let Room::For(most) = state.room(now) else { panic!("the program waits") };
        state.push(&[b'x'; 1024][..most.min(1024)], now);
        while matches!(state.next(owner, LIFE, now), Next::Frames(_)) {
            state.ack(owner, state.end_of_output(), now).unwrap();
        }
    }
    // Who looks is neither the owner's place nor takes it.
    state.detach(owner, now);
    assert_eq!(fill(&mut state, now), Some(now + CUT));
    state.detach(looker, now);
    state.attach(LIFE, 1, Part::Looks, None, now);
    assert_eq!(fill(&mut state, now), Some(now + CUT));
    assert_eq!(state.room(now + CUT), Room::For(RING));
}

#[test]
fn one_who_was_cut_off_finds_its_place_for_three_seconds() {
    let (mut state, now) = state();
    let slot = state.attach(LIFE, 1, Part::Uses, None, now).slot;
    state.push(b"hello", now);
    assert!(matches!(state.next(slot, LIFE, now), Next::Frames(_)));
    state.ack(slot, 3, now).unwrap();
    state.detach(slot, now);
    assert_eq!(fill(&mut state, now), Some(now + CUT));
    assert_eq!(state.attach(LIFE, 1, Part::Uses, Some(3), now).frames.len(), 1, "nothing was lost");
    state.detach(1, now);
    assert_eq!(state.room(now + CUT), Room::For(RING));
}

#[test]
fn input_is_taken_once_and_a_gap_is_refused() {
    let (mut state, _) = state();
    let mut taken = Vec::new();
    let mut give = |state: &mut State| {
        state.give(|bytes| {
            taken.extend_from_slice(bytes);
            Ok(bytes.len())
        });
    };
    state.queue(1, 0, b"abc").unwrap();
    state.queue(1, 1, b"bcd").unwrap();
    state.queue(1, 0, b"ab").unwrap();
    give(&mut state);
    state.queue(2, 0, b"x").unwrap();
    state.queue(1, 4, b"e").unwrap();
    give(&mut state);
    assert!(state.queue(1, 6, b"g").is_err());
    assert!(state.queue(1, u64::MAX, b"g").is_err());
    assert_eq!((state.given(1), state.given(2), state.waiting()), (5, 1, 0));
    assert_eq!(taken, b"abcdxe");
}
