//! Just enough multipart/form-data: a JSON part and files.

use serde_json::Value;

/// A file that came with a message.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// The `n` of `files[n]`.
    pub(crate) index: u64,
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) content: Vec<u8>,
}

/// Splits a body. None when it is not well formed.
pub(crate) fn parse(content_type: &str, body: &[u8]) -> Option<(Value, Vec<Upload>)> {
    let boundary = content_type.split("boundary=").nth(1)?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let mark = format!("--{boundary}");
    let mut payload = Value::Null;
    let mut files = Vec::new();
    for part in split(body, mark.as_bytes()).into_iter().skip(1) {
        if part.starts_with(b"--") {
            break;
        }
        let part = part.strip_prefix(b"\r\n")?;
        let part = part.strip_suffix(b"\r\n").unwrap_or(part);
        let end = find(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&part[..end]).ok()?;
        let content = &part[end + 4..];
        let name = attribute(head, "name")?;
        if name == "payload_json" {
            payload = serde_json::from_slice(content).ok()?;
        } else {
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            files.push(Upload {
                index: digits.parse().unwrap_or(files.len() as u64),
                name: attribute(head, "filename").unwrap_or(name),
                content_type: header(head, "content-type"),
                content: content.to_vec(),
            });
        }
    }
    Some((payload, files))
}

fn split<'a>(body: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, mark) {
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts.push(rest);
    parts
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let disposition = header(head, "content-disposition")?;
    disposition.split(';').skip(1).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        (key == name).then(|| value.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_and_a_file() {
        let body = b"--xx\r\ncontent-disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"a\"}\r\n--xx\r\nContent-Disposition: form-data; name=\"files[3]\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n1,2\r\n--xx--\r\n";
        let (payload, files) = parse("multipart/form-data; boundary=xx", body).expect("well formed");
        assert_eq!(payload["content"], "a");
        assert_eq!((files[0].index, files[0].name.as_str(), files[0].content.len()), (3, "a.csv", 3));
        assert_eq!(files[0].content_type.as_deref(), Some("text/csv"));
    }
}
