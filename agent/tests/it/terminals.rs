use std::time::{Duration, Instant};

use domain::wire::{FromViewer, Grid};

use crate::support::viewer::Got;
use crate::support::{Daemon, PATIENCE, Viewer, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_run_and_acknowledged() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::direct(&daemon, 1, 0).await;
    viewer.types("echo $((6*7)); tty; stty size\n").await;
    viewer.sees("42\r\n").await;
    viewer.sees("/dev/pts/").await;
    viewer.sees("24 80\r\n").await;
    viewer.send(FromViewer::Resize(Grid { cols: 132, rows: 43 })).await;
    viewer.types("stty size\n").await;
    viewer.sees("43 132\r\n").await;
    while viewer.acked_input < viewer.input {
        viewer.next().await;
    }
    assert!(viewer.text().contains('☕'));
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_share_a_terminal_and_terminals_share_nothing() {
    let daemon = Daemon::ready().await;
    let mut one = Viewer::new(&daemon, 1, 0).await;
    let mut two = Viewer::new(&daemon, 2, 0).await;
    let mut other = Viewer::new(&daemon, 3, 1).await;
    one.types("X=sha''red; echo $X\n").await;
    one.sees("shared\r\n").await;
    two.sees("shared\r\n").await;
    other.types("echo [$X]\n").await;
    other.sees("[]\r\n").await;
    let activity = daemon.activity().await;
    assert_eq!((activity.terminals, activity.viewers), (2, 3));
    drop(one);
    drop(two);
    until("they are gone", || true).await;
    // It lives on, and shows what was there.
    let mut back = Viewer::new(&daemon, 4, 0).await;
    back.types("echo $X $X\n").await;
    back.sees("shared shared\r\n").await;
    assert!(String::from_utf8_lossy(&back.repaints[0]).contains("shared"));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_sixteen_and_no_more() {
    let daemon = Daemon::ready().await;
    let mut viewers = Vec::new();
    for number in 0..16 {
        viewers.push(Viewer::new(&daemon, number, number as u16).await);
    }
    let mut socket = crate::support::viewer::open(&daemon).await;
    let ticket = daemon.control.ticket(domain::ticket::Scope::Terminal);
    let grid = crate::support::viewer::GRID;
    let hello = FromViewer::Hello { viewer: 99, terminal: 99, grid, resume: None, ticket: ticket.expose() };
    crate::support::viewer::send(&mut socket, &hello).await;
    assert_eq!(
        crate::support::viewer::receive(&mut socket).await,
        Got::Closed(domain::wire::close::NO_TERMINAL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_is_told_with_its_code_and_the_number_is_free_again() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    let epoch = viewer.epoch;
    viewer.types("sleep 1000 & seq 1 50000; exit 7\n").await;
    loop {
        match viewer.next().await {
            Got::Exited(code) => break assert_eq!(code, 7),
            got @ (Got::Closed(_) | Got::Gone) => panic!("{got:?}"),
            _ => {}
        }
    }
    assert!(viewer.text().contains("\r\n50000\r\n"), "its last words are heard");
    assert_eq!(viewer.next().await, Got::Closed(1000));
    let mut new = viewer.again(&daemon, 0).await;
    assert_ne!(new.epoch, epoch);
    assert_eq!(new.input, 0);
    new.types("kill -9 $$\n").await;
    while new.next().await != Got::Exited(128 + 9) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_reaped() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("for i in $(seq 50); do (sleep 0.01 & ) ; done; echo do''ne\n").await;
    viewer.sees("done").await;
    let children = format!("/proc/{0}/task/{0}/children", daemon.pid());
    until("only the shell is left", || {
        std::fs::read_to_string(&children).unwrap().split_whitespace().count() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_cuts_lose_and_double_nothing() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    // Numbered lines both ways: every one must come once, in order.
    viewer.types("stty -echo; PS1=; while read n; do echo \"<$n>\"; done\n").await;
    viewer.listens(Duration::from_millis(200)).await;
    let mut random = 12_345_u32;
    let mut typed = 0_u32;
    let mut resend = String::new();
    for _ in 0..1_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        for _ in 0..random >> 30 {
            let line = format!("{typed}\n");
            typed += 1;
            resend.push_str(&line);
            viewer.types(&line).await;
        }
        for _ in 0..random >> 28 & 3 {
            if tokio::time::timeout(Duration::from_micros(300), viewer.next()).await.is_err() {
                break;
            }
        }
        let sent = viewer.input;
        viewer = viewer.again(&daemon, 0).await;
        // What was not taken is sent again, as the page does.
        let lost = usize::try_from(sent - viewer.input).unwrap();
        let text = resend[resend.len() - lost..].to_owned();
        viewer.types(&text).await;
    }
    viewer.sees(&format!("<{}>\r\n", typed - 1)).await;
    let text = viewer.text();
    let numbers: Vec<u32> = text.split('<').filter_map(|part| part.split_once('>')?.0.parse().ok()).collect();
    let wrong = numbers.iter().zip(0..).find(|(got, due)| *got != due);
    assert_eq!((wrong, numbers.len()), (None, typed as usize));
    assert!(viewer.repaints.is_empty(), "each was gone on from exactly");
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_in_a_flood_lose_and_double_nothing() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("seq 1 1500000; echo do''ne\n").await;
    for cut in 0..40 {
        for _ in 0..cut % 7 + 1 {
            viewer.next().await;
        }
        viewer = viewer.again(&daemon, 0).await;
    }
    viewer.sees("done").await;
    let text = viewer.text();
    let expected: String = (1..=1_500_000).map(|n| format!("{n}\r\n")).collect();
    assert!(viewer.repaints.is_empty() && text.contains(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_viewer_loses_nothing_and_is_sent_no_more_than_its_window() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.draws = false;
    viewer.types("seq 1 200000; echo do''ne\n").await;
    let mut acked = 0;
    while memchr::memmem::find(&viewer.seen, b"\r\ndone").is_none() {
        match tokio::time::timeout(Duration::from_millis(20), viewer.next()).await {
            Ok(Got::Closed(_) | Got::Gone) => panic!("it was shown out"),
            Ok(_) => assert!(viewer.offset - acked <= 192 * 1024),
            Err(_) => {
                acked = viewer.offset;
                viewer.send(FromViewer::Ack { offset: acked }).await;
            }
        }
    }
    let expected: String = (1..=200_000).map(|n| format!("{n}\r\n")).collect();
    assert!(viewer.text().contains(&expected) && viewer.repaints.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_viewer_stalls_nobody_and_is_drawn_the_screen_when_it_goes_on() {
    let daemon = Daemon::ready().await;
    let mut stalled = Viewer::new(&daemon, 1, 0).await;
    stalled.draws = false;
    let mut quick = Viewer::new(&daemon, 2, 0).await;
    let since = Instant::now();
    quick.types("seq 1 500000; echo do''ne\n").await;
    quick.sees("done").await;
    assert!(since.elapsed() < PATIENCE / 2, "{:?}", since.elapsed());
    let expected: String = (1..=500_000).map(|n| format!("{n}\r\n")).collect();
    assert!(quick.text().contains(&expected));
    // The stalled one goes on: what it got first it draws, then comes the screen.
    stalled.listens(Duration::from_millis(100)).await;
    stalled.draws = true;
    stalled.send(FromViewer::Ack { offset: stalled.offset }).await;
    while stalled.repaints.is_empty() {
        stalled.next().await;
    }
    let drawn = String::from_utf8_lossy(&stalled.repaints[0]).into_owned();
    assert!(drawn.contains("500000\r\ndone\r\n"), "{}", &drawn[drawn.len() - 200..]);
    assert!(stalled.repaints[0].len() <= 256 * 1024);
    quick.types("echo on''ward\n").await;
    stalled.sees("onward").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_not_held_up_for_ever_by_one_who_does_not_draw() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.draws = false;
    viewer.types("seq 1 200000; touch ~/over\n").await;
    let since = Instant::now();
    let over = daemon.home().join("over");
    until("the program ends", || over.exists()).await;
    assert!((9.0..13.0).contains(&since.elapsed().as_secs_f64()), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_shows_at_once_in_a_flood() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("PS1='rea''dy> '\n").await;
    viewer.sees("ready> ").await;
    let mut took = Vec::new();
    for _ in 0..5 {
        viewer.types("yes\n").await;
        let flood = Instant::now();
        // Drawn at some 5 MB/s.
        while flood.elapsed() < Duration::from_millis(300) {
            if let Got::Output { bytes, .. } = viewer.next().await {
                tokio::time::sleep(Duration::from_nanos(200 * bytes.len() as u64)).await;
            }
        }
        viewer.seen.clear();
        let since = Instant::now();
        viewer.types("\x03").await;
        while !viewer.seen.ends_with(b"ready> ") {
            if let Got::Output { bytes, .. } = viewer.next().await {
                tokio::time::sleep(Duration::from_nanos(200 * bytes.len() as u64)).await;
            }
        }
        took.push(since.elapsed());
    }
    took.sort();
    assert!(took[2] < Duration::from_millis(120), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_the_program_does_not_read_is_bounded_and_comes_whole() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("stty raw -echo; sleep 1; head -c 400000 | sha256sum; stty sane\n").await;
    viewer.listens(Duration::from_millis(200)).await;
    let text = "0123456789abcdef".repeat(25_000);
    let (mut sink, mut stream) = futures::StreamExt::split(viewer.socket);
    let mut offset = viewer.input;
    let writing = async {
        for chunk in text.as_bytes().chunks(10_000) {
            let frame = FromViewer::Input { offset, bytes: chunk }.encode();
            offset += chunk.len() as u64;
            futures::SinkExt::send(&mut sink, tokio_tungstenite::tungstenite::Message::Binary(frame.into()))
                .await
                .unwrap();
        }
    };
    let reading = async {
        let mut seen = String::new();
        while !seen.contains("  -") {
            let message = futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
            if let Ok(domain::wire::ToViewer::Output { bytes, .. }) =
                domain::wire::ToViewer::decode(&message.into_data())
            {
                seen.push_str(&String::from_utf8_lossy(bytes));
            }
        }
        seen
    };
    let (seen, ()) = tokio::time::timeout(PATIENCE, async { tokio::join!(reading, writing) }).await.unwrap();
    // printf '0123456789abcdef%.0s' $(seq 25000) | sha256sum
    let expected = std::process::Command::new("sh")
        .args(["-c", "for i in $(seq 25000); do printf 0123456789abcdef; done | sha256sum"])
        .output()
        .unwrap();
    assert!(seen.contains(String::from_utf8_lossy(&expected.stdout[..64]).as_ref()), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_paste_into_a_program_that_sends_it_back_stalls_nothing() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("stty raw -echo; head -c 2000000 | cat; stty sane; touch over\n").await;
    viewer.listens(Duration::from_millis(200)).await;
    let since = Instant::now();
    let text = "0123456789abcde\n".repeat(125_000);
    // All at once, as a page sends what was pasted: acknowledgements come behind it.
    let (mut sink, mut stream) = futures::StreamExt::split(viewer.socket);
    let drawn = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(viewer.offset));
    let seen = std::sync::Arc::clone(&drawn);
    let reading = tokio::spawn(async move {
        use domain::wire::ToViewer;
        while let Some(Ok(message)) = futures::StreamExt::next(&mut stream).await {
            let end = match ToViewer::decode(&message.into_data()) {
                Ok(ToViewer::Output { offset, bytes }) => offset + bytes.len() as u64,
                Ok(ToViewer::Welcome { offset, .. }) => offset,
                _ => continue,
            };
            seen.store(end, std::sync::atomic::Ordering::SeqCst);
        }
    });
    let mut frames = Vec::new();
    let mut offset = viewer.input;
    for chunk in text.as_bytes().chunks(32_000) {
        frames.push(FromViewer::Input { offset, bytes: chunk }.encode());
        offset += chunk.len() as u64;
    }
    while !daemon.home().join("over").exists() {
        let frame = if frames.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            FromViewer::Ack { offset: drawn.load(std::sync::atomic::Ordering::SeqCst) }.encode()
        } else {
            frames.remove(0)
        };
        let message = tokio_tungstenite::tungstenite::Message::Binary(frame.into());
        tokio::time::timeout(PATIENCE, futures::SinkExt::send(&mut sink, message)).await.unwrap().unwrap();
    }
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
    reading.abort();
}
