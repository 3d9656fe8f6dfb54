//! The version that a CPE name states (NISTIR 7695: the URI of 2.2, and the formatted string of 2.3).

use percent_encoding::percent_decode_str;

/// The version that a CPE names; none where it names any, or is no CPE.
pub(crate) fn version(cpe: &str) -> Option<String> {
    let version = match cpe.strip_prefix("cpe:2.3:") {
        Some(formatted) => unescaped(formatted).into_iter().nth(3)?,
        None => {
            let path = cpe.strip_prefix("cpe:/")?;
            let version = percent_decode_str(path.split(':').nth(3)?);
            version.decode_utf8_lossy().into_owned()
        }
    };
    Some(version).filter(|version| !["", "*", "-"].contains(&version.as_str()))
}

/// The fields of a formatted string, in which `\` stands before what is meant as it is.
fn unescaped(formatted: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut rest = formatted.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => field.extend(rest.next()),
            ':' => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_fifth_part_is_the_version() {
        for (cpe, expected) in [
            ("cpe:2.3:a:v:p:2.0.0:*:*:*:*:*:*:*", Some("2.0.0")),
            (r"cpe:2.3:a:v:p\:x:1\.0\+b:*", Some("1.0+b")),
            ("cpe:2.3:a:v:p:*:*:*:*:*:*:*:*", None),
            ("cpe:2.3:a:v:p:-:*", None),
            ("cpe:2.3:a:v", None),
            ("cpe:/a:redhat:enterprise_linux:8::appstream", Some("8")),
            ("cpe:/a:v:p:1.0%2bb", Some("1.0+b")),
            ("cpe:/a:v:p", None),
            ("pkg:npm/a@1", None),
        ] {
            assert_eq!(version(cpe).as_deref(), expected, "{cpe}");
        }
    }
}
