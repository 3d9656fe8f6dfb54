//! Where telemetry is exported to: the standard variables `OTEL_…`, which collectors and their
//! operators know, in place of keys of our own.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, Uri};
use stella_api::Code;
use stella_cli::environment::Environment as Variables;
use stella_locale::Labels;
use stella_telemetry::{Export, Sampling};

use super::Problem;
use super::secrets::decoded;

/// What the specification says where nobody sets it.
const TIMEOUT: Duration = Duration::from_secs(10);

const SAMPLERS: &str = "always_on, always_off, traceidratio, parentbased_always_on, \
                        parentbased_always_off, parentbased_traceidratio";

/// Nothing where no endpoint is set.
///
/// # Errors
/// Every problem there is.
pub fn read(variables: &Variables) -> Result<Option<Export>, Vec<Problem>> {
    let mut reader = Reader {
        variables,
        problems: Vec::new(),
    };
    let disabled = reader.text("OTEL_SDK_DISABLED").unwrap_or_default();
    if disabled.eq_ignore_ascii_case("true") {
        return Ok(None);
    }
    let export = reader.export();
    match (
        export.traces.is_some() || export.metrics.is_some(),
        reader.problems,
    ) {
        (_, problems) if !problems.is_empty() => Err(problems),
        (set, _) => Ok(set.then_some(export)),
    }
}

struct Reader<'a> {
    variables: &'a Variables,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn export(&mut self) -> Export {
        let traces = self.endpoint("TRACES", "v1/traces");
        let metrics = self.endpoint("METRICS", "v1/metrics");
        self.only("OTEL_EXPORTER_OTLP_PROTOCOL", &["http/protobuf"]);
        self.only("OTEL_EXPORTER_OTLP_COMPRESSION", &["none"]);
        Export {
            traces,
            metrics,
            headers: self.headers(),
            timeout: self.timeout(),
            resource: self.resource(),
            sampling: self.sampling(),
        }
    }

    /// A blank value counts as none.
    fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.variables.get(name)?.to_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The value is not told: it may be a secret.
    fn wrong(&mut self, name: &str, accepted: &str, hint: &str) {
        let problem = Problem::new(Code::ConfigValueInvalid, Labels::english().text(hint));
        let problem = problem.with("key", name).with("source", format!("${name}"));
        self.problems.push(problem.with("accepted", accepted));
    }

    fn only(&mut self, name: &str, accepted: &[&str]) {
        if self
            .text(name)
            .is_some_and(|text| !accepted.contains(&text))
        {
            self.wrong(name, &accepted.join(", "), "hint-config-one-of");
        }
    }

    /// The URL of a signal: its own, which is taken as it is, or that of all with its path behind.
    fn endpoint(&mut self, signal: &str, path: &str) -> Option<String> {
        let exporter = format!("OTEL_{signal}_EXPORTER");
        self.only(&exporter, &["otlp", "none"]);
        if self.text(&exporter) == Some("none") {
            return None;
        }
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
        let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (name, url) = match (self.text(&own), self.text(all)) {
            (Some(url), _) => (own.as_str(), url.to_owned()),
            (None, Some(url)) => (all, format!("{}/{path}", url.trim_end_matches('/'))),
            (None, None) => return None,
        };
        let uri = url.parse::<Uri>().ok();
        let scheme = uri.as_ref().and_then(Uri::scheme_str);
        if !matches!(scheme, Some("http" | "https")) {
            // Both signals may come from one variable.
            let told = |problem: &Problem| problem.words.iter().any(|(_, value)| value == name);
            if !self.problems.iter().any(told) {
                self.wrong(name, "http://HOST:PORT", "hint-config-endpoint");
            }
            return None;
        }
        Some(url)
    }

    /// `NAME=VALUE,…`, the values percent-encoded.
    fn pairs(&mut self, name: &str) -> BTreeMap<String, String> {
        let mut pairs = BTreeMap::new();
        let text = self.text(name).unwrap_or_default();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            match pair.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    pairs.insert(key.trim().to_owned(), value.trim().to_owned());
                }
                _ => {
                    self.wrong(name, "NAME=VALUE,NAME=VALUE", "hint-config-pairs");
                    return BTreeMap::new();
                }
            }
        }
        pairs
    }

    /// The exporter undoes the encoding of the values.
    fn headers(&mut self) -> BTreeMap<String, String> {
        let name = "OTEL_EXPORTER_OTLP_HEADERS";
        let headers = self.pairs(name);
        if headers.keys().any(|key| key.parse::<HeaderName>().is_err()) {
            self.wrong(name, "NAME=VALUE,NAME=VALUE", "hint-config-pairs");
        }
        headers
    }

    fn timeout(&mut self) -> Duration {
        let name = "OTEL_EXPORTER_OTLP_TIMEOUT";
        match self.text(name).map(str::parse) {
            None => TIMEOUT,
            Some(Ok(milliseconds @ 1..)) => Duration::from_millis(milliseconds),
            Some(_) => {
                self.wrong(name, "1…", "hint-config-count");
                TIMEOUT
            }
        }
    }

    fn resource(&mut self) -> BTreeMap<String, String> {
        let version = env!("CARGO_PKG_VERSION");
        let own = [("service.name", "stella"), ("service.version", version)];
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut resource = BTreeMap::from(own);
        let said = self.pairs("OTEL_RESOURCE_ATTRIBUTES").into_iter();
        resource.extend(said.map(|(key, value)| (key, decoded(&value))));
        if let Some(name) = self.text("OTEL_SERVICE_NAME") {
            resource.insert("service.name".to_owned(), name.to_owned());
        }
        resource
    }

    fn sampling(&mut self) -> Sampling {
        let name = "OTEL_TRACES_SAMPLER";
        let Some(sampler) = self.text(name) else {
            return Sampling::default();
        };
        let plain = sampler.strip_prefix("parentbased_");
        let ratio = match plain.unwrap_or(sampler) {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => self.ratio(),
            _ => {
                self.wrong(name, SAMPLERS, "hint-config-one-of");
                1.0
            }
        };
        let follow_parent = plain.is_some();
        Sampling {
            ratio,
            follow_parent,
        }
    }

    fn ratio(&mut self) -> f64 {
        let name = "OTEL_TRACES_SAMPLER_ARG";
        let ratio = self.text(name).map_or(Ok(1.0), str::parse);
        match ratio {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            _ => {
                self.wrong(name, "0…1", "hint-config-ratio");
                1.0
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");

    fn of<const N: usize>(variables: [(&str, &str); N]) -> Export {
        read(&Variables::of(variables)).unwrap().unwrap()
    }

    #[test]
    fn nothing_is_exported_unless_somebody_says_where_to() {
        let all_but = [
            ("OTEL_SERVICE_NAME", "x"),
            ("OTEL_TRACES_SAMPLER", "always_on"),
        ];
        assert!(read(&Variables::of(all_but)).unwrap().is_none());
        let disabled = [ENDPOINT, ("OTEL_SDK_DISABLED", "True")];
        assert!(read(&Variables::of(disabled)).unwrap().is_none());
        let none = [
            ENDPOINT,
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
        ];
        assert!(read(&Variables::of(none)).unwrap().is_none());
    }

    #[test]
    fn the_standard_variables_mean_what_the_specification_says() {
        let export = of([
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://m/own"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "Authorization=Bearer%20hunter2, x=1",
            ),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=no,deployment.environment.name=a%2Cb",
            ),
            ("OTEL_SERVICE_NAME", "risk"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ]);
        assert_eq!(export.traces.as_deref(), Some("http://c:4318/v1/traces"));
        assert_eq!(export.metrics.as_deref(), Some("https://m/own"));
        assert_eq!(export.headers["Authorization"], "Bearer%20hunter2");
        assert_eq!(export.timeout, Duration::from_millis(250));
        assert_eq!(export.resource["service.name"], "risk");
        assert_eq!(export.resource["deployment.environment.name"], "a,b");
        let sampling = Sampling {
            ratio: 0.25,
            follow_parent: false,
        };
        assert_eq!(export.sampling, sampling);
        assert_eq!(of([ENDPOINT]).sampling, Sampling::default());
        assert!(!format!("{export:?}").contains("hunter2"));
    }

    #[test]
    fn every_wrong_value_is_told_without_repeating_it() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_RESOURCE_ATTRIBUTES", "=hunter2"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ];
        let problems = read(&Variables::of(variables)).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        // A sampler's wrong argument is told at the argument.
        assert_eq!(told.len(), variables.len() - 1, "{told:#?}");
        for line in &told {
            assert!(line.starts_with("CONFIG_VALUE_INVALID key=OTEL_"), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
}
