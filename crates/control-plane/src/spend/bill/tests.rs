use std::io::Read;

use domain::money::NanoDollars;

use super::*;

const HEAD: &str = "identity/LineItemId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,\
    lineItem/ProductCode,lineItem/UsageType,lineItem/ResourceId,lineItem/UsageAmount,lineItem/CurrencyCode,\
    lineItem/UnblendedCost,lineItem/LineItemDescription,resourceTags/user:openclaw:agent,\
    resourceTags/user:openclaw:generation,resourceTags/user:openclaw:owner";
const ONE: &str = "0123456789abcdef";

fn line(kind: &str, usage: &str, amount: &str, cost: &str, tags: &str) -> String {
    let product = if usage.contains("IPv4") { "AmazonVPC" } else { "AmazonECS" };
    format!(
        "id,{kind},2026-11-02T03:00:00Z,2026-11-02T04:00:00Z,{product},{usage},arn:aws:ecs:x,{amount},USD,\
         {cost},\"AWS Fargate, \"\"Spot\"\"\nby the hour\",{tags}"
    )
}

fn report(lines: &[String]) -> String {
    [&[HEAD.to_owned()], lines].concat().join("\r\n")
}

fn read(text: impl AsRef<[u8]>) -> Result<Bill, Refused> {
    Bill::read(text.as_ref(), "2026-11".parse().unwrap())
}

/// Why it is refused, and where.
fn refusal(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn lines_of_machines_are_summed_by_run_and_the_rest_is_shown_apart() {
    let tags = format!("{ONE},3,fedcba9876543210");
    let bill = read(report(&[
        line("Usage", "USE1-SpotUsage-Fargate-vCPU-Hours:perCPU", "0.25", "0.003125", &tags),
        line("Usage", "USE1-SpotUsage-Fargate-vCPU-Hours:perCPU", "0.25", "3.125E-3", &tags),
        line("Usage", "USE1-SpotUsage-Fargate-GB-Hours", "1", "0.0015", &tags),
        line("Usage", "Fargate-ARM-GB-Hours", "1", "0.5", &format!("{ONE},,")),
        line("Usage", "USE1-Fargate-EphemeralStorage-GB-Hours", "9", "0.001", &tags),
        line("Usage", "USE1-PublicIPv4:InUseAddress", "1", "0.005", &tags),
        line("Credit", "USE1-SpotUsage-Fargate-GB-Hours", "1", "-0.0015", &tags),
        line("Usage", "USE1-Fargate-GB-Hours", "2", "0.1", ",,"),
        line("Usage", "BoxUsage", "2", "7", ",,"),
        line("Usage", "USE1-Fargate-GB-Hours", "2", "0.1", &tags).replace("2026-11-02", "2026-10-31"),
    ]))
    .unwrap();
    let of = |generation| Tagged { agent: ONE.parse().unwrap(), generation };
    assert_eq!(bill.runs.len(), 2);
    let run = &bill.runs[&of(Some(Generation(3)))];
    assert_eq!((run.vcpu_hours, run.gb_hours), (number("0.5"), number("1")));
    assert_eq!(run.cost.dollars(), NanoDollars(7_750_000));
    assert_eq!(run.purchases, BTreeSet::from([Purchase::Spot]));
    assert_eq!(run.owner, Some("fedcba9876543210".parse().unwrap()));
    assert_eq!(bill.runs[&of(None)].purchases, BTreeSet::from([Purchase::OnDemandArm]));
    assert_eq!(
        bill.unmetered.keys().collect::<Vec<_>>(),
        [
            "AmazonECS USE1-Fargate-EphemeralStorage-GB-Hours (Usage)",
            "AmazonECS USE1-SpotUsage-Fargate-GB-Hours (Credit)",
            "AmazonVPC USE1-PublicIPv4:InUseAddress (Usage)",
        ]
    );
    assert_eq!((bill.untagged, bill.elsewhere), (Apart { lines: 1, cost: number("0.1") }, 1));
    assert_eq!(bill.until.unwrap().to_string(), "2026-11-02T04:00:00.000Z");
}

#[test]
fn cur_2_says_the_same_with_tags_in_a_map() {
    let text = format!(
        "resource_tags,line_item_unblended_cost,line_item_usage_amount,line_item_usage_type,line_item_product_code,\
         line_item_line_item_type,line_item_usage_start_date,line_item_usage_end_date\n\
         \"{{\"\"user_openclaw_agent\"\":\"\"{ONE}\"\",\"\"user_openclaw_generation\"\":\"\"2\"\"}}\",0.01,0.5,\
         EU-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU,AmazonECS,Usage,2026-11-30 23:00:00.000,2026-12-01 00:00:00.000\n\
         {{}},0.01,0.5,EU-Fargate-GB-Hours,AmazonECS,Usage,2026-11-30 23:00:00,2026-12-01 00:00:00\n"
    );
    let bill = read(format!("\u{feff}{text}")).unwrap();
    let (tagged, billed) = bill.runs.first_key_value().unwrap();
    assert_eq!(tagged.generation, Some(Generation(2)));
    assert_eq!((billed.vcpu_hours, billed.cost), (number("0.5"), number("0.01")));
    assert_eq!(billed.purchases, BTreeSet::from([Purchase::SpotArm]));
    assert_eq!((bill.untagged.lines, bill.runs.len()), (1, 1));

    let told = refusal(text.replace("\"\"2\"\"}", "\"\"2\"\""));
    assert!(told.contains("line 2: its resource_tags are not a map"), "{told}");
}

#[test]
fn a_wrong_line_is_named_and_the_whole_refused() {
    let good = line("Usage", "Fargate-GB-Hours", "1", "0.5", &format!("{ONE},1,"));
    assert!(read(report(std::slice::from_ref(&good))).is_ok());
    // The description of each line has a line's end of its own.
    for (wrong, why) in [
        (good.replace(",0.5,", ",0.5 USD,"), "line 4: \"0.5 USD\" is not a number"),
        (
            good.replace("T03:00:00Z", "T03:00:00+01:00"),
            "line 4: \"2026-11-02T03:00:00+01:00\" is not an instant",
        ),
        (good.replace("-02T04", "-31T04"), "line 4: \"2026-11-31T04:00:00Z\" is not an instant"),
        (good.replace(ONE, "0123"), "line 4: openclaw:agent is \"0123\", no agent's id"),
        (good.replace(",1,", ",one,").replace("one,USD", "1,USD"), "line 4: openclaw:generation is \"one\""),
        (good.replace("USD", "EUR"), "line 4: it is in EUR"),
        (good.replace("Usage,", "Usage,,"), "line 4: it has 15 fields in the place of 14"),
        (good.replace("by the hour\"", "by the hour"), "is a quotation mark not closed?"),
        (format!("{good}\""), "within quotation marks"),
    ] {
        let told = refusal(report(&[good.clone(), wrong]));
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn what_is_no_report_is_told_so() {
    let told = refusal(HEAD.replace("lineItem/UnblendedCost", "lineItem/BlendedCost"));
    assert!(told.contains("line 1: it has no column line_item_unblended_cost"), "{told}");
    let told = refusal(HEAD.replace("openclaw:agent", "team"));
    assert!(told.contains("activate it as a cost allocation tag"), "{told}");
    assert!(refusal(b"\x1f\x8b\x08\x00").contains("compressed"));
    assert!(refusal(b"PAR1\x15\x00").contains("Parquet"));
    let utf16: Vec<u8> = HEAD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(refusal([&b"\xff\xfe"[..], &utf16].concat()).contains("line 1: its text is not UTF-8"));
    assert!(refusal("").contains("line 1"));
    assert_eq!(read(report(&[])).unwrap().runs.len(), 0);
}

#[test]
fn a_field_without_end_is_not_read_to_its_end() {
    struct Counted<R>(R, u64);
    impl<R: Read> Read for Counted<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(buffer)?;
            self.1 += count as u64;
            Ok(count)
        }
    }
    let begun = format!("{HEAD}\nid,\"");
    let mut endless = Counted(begun.as_bytes().chain(io::repeat(b'x')), 0);
    let told = Bill::read(&mut endless, "2026-11".parse().unwrap()).unwrap_err().to_string();
    assert!(told.contains("line 2: it has more than a mebibyte"), "{told}");
    assert!(endless.1 < 3 << 20);
}

#[test]
fn memory_is_the_runs_and_not_the_lines() {
    let lines = line("Usage", "Fargate-GB-Hours", "1", "0.5", &format!("{ONE},1,")) + "\n";
    let head = format!("{HEAD}\n");
    let long = lines.repeat(20_000);
    let bill = read(head + &long).unwrap();
    assert_eq!(bill.runs.len(), 1);
    assert_eq!(bill.runs.values().next().unwrap().cost.dollars(), NanoDollars(10_000_000_000_000));
}
