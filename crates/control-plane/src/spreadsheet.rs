//! Words for a spreadsheet.

/// A cell of a CSV as RFC 4180 has it. A text that a spreadsheet would compute is
/// kept from that.
pub fn cell(text: &str) -> String {
    let computed = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if computed { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_text_whatever_is_in_it() {
        assert_eq!(cell("Ana, \"B\""), "\"Ana, \"\"B\"\"\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
    }
}
