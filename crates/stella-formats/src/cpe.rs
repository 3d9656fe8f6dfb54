//! Whether a CPE name says less than all versions of a product (NISTIR 7695: the URI of 2.2, and the
//! formatted string of 2.3). How versions are written there has little to do with those of packages,
//! so no more is read of it.

use crate::scheme::behind;

/// Whether a text is a CPE by its scheme.
pub(crate) fn is(text: &str) -> bool {
    behind("cpe:", text.trim_start()).is_some()
}

/// Whether it names a version or an update, or cannot be read.
pub(crate) fn names_a_version(cpe: &str) -> bool {
    let lower = cpe.trim().to_ascii_lowercase();
    let fields: Vec<String> = match (lower.strip_prefix("cpe:2.3:"), lower.strip_prefix("cpe:/")) {
        (Some(formatted), _) => unescaped(formatted),
        (None, Some(path)) => path.split(':').map(str::to_owned).collect(),
        (None, None) => return true,
    };
    let names = |field: &String| !["", "*", "-"].contains(&field.as_str());
    fields.iter().skip(3).take(2).any(names)
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
    use super::{is, names_a_version};

    #[test]
    fn the_fifth_and_the_sixth_part_say_which_version() {
        for narrow in [
            "cpe:2.3:a:v:p:2.0.0:*:*:*:*:*:*:*",
            "CPE:2.3:a:v:p:2.0.0:*:*:*:*:*:*:*",
            " cpe:2.3:a:v:p:2.0.0",
            r"cpe:2.3:a:v:p\:x:1\.0\+b:*",
            "cpe:2.3:a:v:p:*:sp2:*:*:*:*:*:*",
            "cpe:/a:redhat:enterprise_linux:8::appstream",
            "CPE:/a:v:p:2.0.0",
            "cpe:9:a:v:p",
        ] {
            assert!(is(narrow) && names_a_version(narrow), "{narrow}");
        }
        for all in [
            "cpe:2.3:a:v:p:*:*:*:*:*:*:*:*",
            r"cpe:2.3:a:v:p\:1:-:*",
            "cpe:2.3:a:v",
            "cpe:/a:v:p",
            "cpe:/a:v:p::",
        ] {
            assert!(is(all) && !names_a_version(all), "{all}");
        }
        assert!(!is("pkg:npm/a@1") && !is("cpe"));
    }
}
