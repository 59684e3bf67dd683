//! Rows of a table as text that spreadsheets open (RFC 4180).

/// A line with its end.
pub fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let mut line = cells.iter().map(|cell| self::cell(cell.as_ref())).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// A cell in quotes where it needs them. What a spreadsheet would take for a formula gets an apostrophe.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if is_formula { "'" } else { "" };
    if is_formula || text.contains([',', '"', '\r', '\n']) {
        format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn cells_are_quoted_where_they_need_it_and_no_formula_runs() {
        assert_eq!(line(&["a", "b,c", "say \"hi\"", "two\nlines"]), "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
        assert_eq!(line(&["=1+1", "-2", "@x"]), "\"'=1+1\",\"'-2\",\"'@x\"\r\n");
    }
}
