//! Checks every answer of a test against the OpenAPI document.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jsonschema::Validator;
use serde_json::{Value, json};
use stella_client::{Call, Reply};

/// The document, ready to judge answers.
#[derive(Debug)]
pub struct Contract {
    document: Value,
    validators: Mutex<BTreeMap<String, std::sync::Arc<Validator>>>,
}

impl Contract {
    /// Reads the document.
    ///
    /// # Panics
    /// It is no JSON.
    #[must_use]
    pub fn new(document: &str) -> Self {
        let document = serde_json::from_str(document).expect("the OpenAPI document is JSON");
        Self {
            document,
            validators: Mutex::default(),
        }
    }

    /// Every operation: method, path template and its description.
    #[must_use]
    pub fn operations(&self) -> Vec<(String, String, Value)> {
        let paths = self.document["paths"]
            .as_object()
            .expect("the document has paths");
        let each = |(path, item): (&String, &Value)| {
            let item = item.as_object().expect("a path item is an object").clone();
            let path = path.clone();
            item.into_iter()
                .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
        };
        paths.iter().flat_map(each).collect()
    }

    /// A schema of the document's components.
    ///
    /// # Panics
    /// There is none of that name.
    #[must_use]
    pub fn schema(&self, name: &str) -> &Value {
        let schema = &self.document["components"]["schemas"][name];
        assert!(schema.is_object(), "the document has no schema {name}");
        schema
    }

    /// Judges an answer: its status, media type, body and problem code must be documented, those
    /// of each line where it has lines, and the documented headers there.
    ///
    /// # Panics
    /// They are not.
    pub fn check(&self, call: &Call, reply: &Reply) {
        let name = format!("{} {}", call.method, call.path);
        let Some(operation) = self.operation(call) else {
            let code = problem_code(reply);
            let unknown = matches!(
                code.as_deref(),
                Some("ROUTE_UNKNOWN" | "METHOD_NOT_ALLOWED")
            );
            assert!(
                unknown,
                "{name} is not in the document and answered {}",
                reply.status
            );
            return;
        };
        let status = reply.status.as_u16().to_string();
        let documented = &operation["responses"][&status];
        assert!(
            documented.is_object(),
            "{name} answered {status}, which is not documented"
        );
        if let Some(code) = problem_code(reply) {
            let codes = documented["description"].as_str().unwrap_or_default();
            let told = codes.split(", ").any(|one| one == code);
            assert!(told, "{name} answered {status} {code}; documented: {codes}");
        }
        for header in documented["headers"].as_object().into_iter().flatten() {
            let carried = reply.headers.contains_key(header.0.to_lowercase());
            assert!(carried, "{name} answered {status} without {}", header.0);
        }
        self.check_body(&name, documented, reply);
        if reply.status.is_success() {
            self.check_request(&name, &operation["requestBody"]["content"], call);
        }
    }

    /// What was taken is what the document says that can be sent.
    fn check_request(&self, name: &str, content: &Value, call: &Call) {
        let media = call.headers.get("content-type");
        let Some(media) = media.and_then(|value| value.to_str().ok()) else {
            return;
        };
        let media = media.split(';').next().unwrap_or_default().trim();
        let json = media == "application/json" || media.ends_with("+json");
        let described = &content[if json { "application/json" } else { media }];
        assert!(
            described.is_object(),
            "{name} took {media}, which is not documented"
        );
        let schema = &described["schema"];
        let value = |bytes: &[u8]| serde_json::from_slice(bytes).expect("JSON was taken");
        match media {
            // The content decides what it is, whatever it is called.
            _ if json && *schema == json!({}) => {}
            _ if json => self.check_value(name, schema, &value(&call.body)),
            "application/x-ndjson" => {}
            "application/x-www-form-urlencoded" => {
                let form = form_urlencoded::parse(&call.body).into_owned();
                let form: serde_json::Map<String, Value> =
                    form.map(|(name, value)| (name, value.into())).collect();
                self.check_value(name, schema, &form.into());
            }
            _ => {
                let told = schema["type"].as_str();
                assert!(told.is_none_or(|told| told == "string"), "{name}: {schema}");
            }
        }
    }

    fn check_body(&self, name: &str, documented: &Value, reply: &Reply) {
        if documented["content"].is_null() {
            assert!(
                reply.body.is_empty(),
                "{name} has a body that is not documented"
            );
            return;
        }
        let media = reply
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok());
        let media = media.unwrap_or_default();
        let content = documented["content"]
            .as_object()
            .expect("a response has content");
        if content.contains_key("*/*") {
            return;
        }
        let described = content.get(media);
        let described = described.unwrap_or_else(|| panic!("{name}: {media} is not documented"));
        if media != "application/x-ndjson" {
            let body = serde_json::from_slice(&reply.body).expect("a JSON body");
            return self.check_value(name, &described["schema"], &body);
        }
        let told = documented["description"].as_str().unwrap_or_default();
        let known: Vec<&str> = told.split([' ', ',']).collect();
        for line in reply.body.split_inclusive(|byte| *byte == b'\n') {
            assert!(line.ends_with(b"\n"), "{name}: a line without an end");
            let line: Value = serde_json::from_slice(line).expect("a line of JSON");
            self.check_value(name, &described["schema"], &line);
            for of in ["problem", "ended"] {
                let code = line[of]["code"].as_str();
                let documented = code.is_none_or(|code| known.contains(&code));
                assert!(
                    documented,
                    "{name} answered a line {line}; documented: {told}"
                );
            }
        }
    }

    fn check_value(&self, name: &str, schema: &Value, body: &Value) {
        let errors: Vec<String> = self
            .validator(schema)
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}\n{body:#}");
    }

    fn operation(&self, call: &Call) -> Option<&Value> {
        let paths = self.document["paths"].as_object()?;
        let fits = |template: &str| {
            let path = call.path_only();
            let (mut a, mut b) = (template.split('/'), path.split('/'));
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return true,
                    (Some(name), Some(part)) if name.starts_with('{') && !part.is_empty() => {}
                    (Some(name), Some(part)) if name == part => {}
                    _ => return false,
                }
            }
        };
        // A literal path wins over a template, as in the router.
        let mut fitting: Vec<&String> = paths.keys().filter(|path| fits(path)).collect();
        fitting.sort_by_key(|path| path.matches('{').count());
        let method = call.method.as_str().to_lowercase();
        fitting.first().and_then(|path| paths[*path].get(&method))
    }

    fn validator(&self, schema: &Value) -> std::sync::Arc<Validator> {
        let mut held = self.validators.lock().expect("no test panicked here");
        let key = schema.to_string();
        let make = || {
            let whole = json!({"allOf": [schema], "components": self.document["components"]});
            jsonschema::draft202012::new(&whole)
                .expect("the schema is valid")
                .into()
        };
        held.entry(key).or_insert_with(make).clone()
    }
}

fn problem_code(reply: &Reply) -> Option<String> {
    let media = reply.headers.get("content-type")?.to_str().ok()?;
    if media != "application/problem+json" {
        return None;
    }
    let problem: Value = serde_json::from_slice(&reply.body).ok()?;
    Some(problem["code"].as_str()?.to_owned())
}
