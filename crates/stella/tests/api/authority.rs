//! Tokens over HTTP.

use stella_api::Scope;
use stella_api::authority::{JwksAnswer, ServerMetadata, TokenAnswer, WhoAmI};
use stella_client::{Call, ClientError, Reply};
use stella_context::Clock;
use stella_signing::{Claims, SigningKey, Unverified, dpop_proof, sign_jwt, verify_jwt};

use crate::world::{World, on_every_driver};

const FORM: &str = "application/x-www-form-urlencoded";

fn now() -> i64 {
    Clock::System.now().as_second()
}

fn assertion(world: &World, key: &SigningKey, client: &str, id: &str, ends: i64) -> String {
    let claims = serde_json::json!({
        "iss": client, "sub": client, "aud": world.url, "jti": id, "iat": now(), "exp": ends,
    });
    sign_jwt(key, "JWT", &claims).unwrap()
}

async fn ask(world: &World, proof: Option<String>, form: &[(&str, &str)]) -> Reply {
    let mut call = Call::post(
        "/oauth/token",
        FORM,
        serde_urlencoded::to_string(form).unwrap(),
    );
    if let Some(proof) = proof {
        call = call.with("dpop".parse().unwrap(), proof.parse().unwrap());
    }
    let reply = world.http().send(call.clone()).await.unwrap();
    world.contract.check(&call, &reply);
    reply
}

fn proof(world: &World, dpop: &SigningKey, id: &str) -> Option<String> {
    let url = format!("{}/oauth/token", world.url);
    Some(dpop_proof(dpop, "POST", &url, now(), id, None).unwrap())
}

fn error(reply: &Reply) -> String {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    body["error"].as_str().unwrap_or("none").to_owned()
}

fn form<'a>(assertion: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
        ("scope", scope),
    ]
}

/// A token of a tenant's client for one scope, bound to a key.
pub async fn token(world: &World, tenant: &str, scope: Scope, dpop: &SigningKey) -> String {
    let key = world.credentials(tenant).key;
    let client = format!("{tenant}-client");
    let signed = assertion(world, &key, &client, dpop.kid(), now() + 60);
    let form = form(&signed, scope.as_str());
    let reply = ask(world, proof(world, dpop, dpop.kid()), &form).await;
    reply.json::<TokenAnswer>().unwrap().access_token
}

on_every_driver! {
    async fn a_token_says_who_and_where_and_verifies_with_the_published_key(world) {
        let caller = world.caller("acme", &[Scope::RiskRead]);
        let who: WhoAmI = caller.get("/api/v1/authority/whoami").await;
        assert_eq!((who.tenant.as_str(), who.client_id.as_str()), ("acme", "acme-client"));
        assert_eq!(who.scopes, ["risk:read"]);
        assert_eq!(who.roles, ["analyst", "auditor", "ingester", "operator"]);

        let key = world.credentials("acme").key;
        let dpop = SigningKey::generate().unwrap();
        let signed = assertion(&world, &key, "acme-client", "1", now() + 60);
        let reply = ask(&world, proof(&world, &dpop, "1"), &form(&signed, "risk:read")).await;
        let answer: TokenAnswer = reply.json().unwrap();
        assert_eq!((answer.token_type.as_str(), answer.expires_in), ("DPoP", 120));
        let header = Unverified::read(&answer.access_token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let jwks: JwksAnswer = caller.get("/oauth/jwks").await;
        let public = jwks.keys.iter().find(|jwk| jwk.kid == header.kid).unwrap();
        let claims: Claims = verify_jwt(&answer.access_token, &public.x).unwrap();
        assert_eq!(claims.tid.as_deref(), Some("acme"));
        assert_eq!(claims.cnf.unwrap().jkt, dpop.kid());
        let metadata: ServerMetadata = caller.get("/.well-known/oauth-authorization-server").await;
        assert_eq!((metadata.issuer, claims.iss), (world.url.clone(), world.url));
    }

    async fn a_request_that_proves_too_little_gets_no_token(world) {
        let key = world.credentials("acme").key;
        let dpop = SigningKey::generate().unwrap();
        let good = |id: &str| assertion(&world, &key, "acme-client", id, now() + 60);
        let mut tried = Vec::new();
        let mut count = 0;
        let mut id = || { count += 1; format!("p{count}") };

        tried.push(("invalid_dpop_proof", ask(&world, None, &form(&good("a"), "risk:read")).await));
        let once = proof(&world, &dpop, "once");
        assert!(ask(&world, once.clone(), &form(&good("b"), "risk:read")).await.status.is_success());
        tried.push(("invalid_dpop_proof", ask(&world, once, &form(&good("c"), "risk:read")).await));
        tried.push(("invalid_client", ask(&world, proof(&world, &dpop, &id()), &form(&good("b"), "risk:read")).await));
        let stranger = SigningKey::generate().unwrap();
        let forged = assertion(&world, &stranger, "acme-client", "d", now() + 60);
        tried.push(("invalid_client", ask(&world, proof(&world, &dpop, &id()), &form(&forged, "risk:read")).await));
        let old = assertion(&world, &key, "acme-client", "e", now() - 60);
        tried.push(("invalid_client", ask(&world, proof(&world, &dpop, &id()), &form(&old, "risk:read")).await));
        let nobody = assertion(&world, &key, "\0", "g", now() + 60);
        tried.push(("invalid_client", ask(&world, proof(&world, &dpop, &id()), &form(&nobody, "risk:read")).await));
        let long = assertion(&world, &key, "acme-client", "f", now() + 3600);
        tried.push(("invalid_client", ask(&world, proof(&world, &dpop, &id()), &form(&long, "risk:read")).await));
        for never in [i64::MAX, i64::MIN] {
            let signed = assertion(&world, &key, "acme-client", "h", never);
            tried.push(("invalid_client", ask(&world, proof(&world, &dpop, &id()), &form(&signed, "risk:read")).await));
        }
        for scope in ["", "nonsense", "risk:profiles", "advisory:read"] {
            let signed = good(&format!("scope {scope}"));
            tried.push(("invalid_scope", ask(&world, proof(&world, &dpop, &id()), &form(&signed, scope)).await));
        }
        for grant in ["password", "authorization_code", "refresh_token"] {
            let signed = good(grant);
            let mut asked = form(&signed, "risk:read");
            asked[0].1 = grant;
            tried.push(("unsupported_grant_type", ask(&world, proof(&world, &dpop, &id()), &asked).await));
        }
        let signed = good("tenant");
        let mut asked = form(&signed, "risk:read");
        asked.push(("tenant", "globex"));
        tried.push(("invalid_request", ask(&world, proof(&world, &dpop, &id()), &asked).await));
        // A second proof is none, whichever of the two is good; other headers stand once too.
        let signed = good("twice");
        let body = serde_urlencoded::to_string(form(&signed, "risk:read")).unwrap();
        for (expected, name, value) in [
            ("invalid_dpop_proof", "dpop", proof(&world, &dpop, &id()).unwrap().as_str()),
            ("invalid_request", "content-type", FORM),
            ("invalid_request", "content-encoding", "gzip"),
        ] {
            let mut call = Call::post("/oauth/token", FORM, body.clone());
            call = call.with("dpop".parse().unwrap(), proof(&world, &dpop, &id()).unwrap().parse().unwrap());
            call.headers.append(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
            tried.push((expected, world.http().send(call).await.unwrap()));
        }
        for (expected, reply) in &tried {
            assert_eq!(error(reply), *expected, "{:?}", reply.body);
        }
    }

    async fn a_token_serves_only_its_own_key_and_request(world) {
        let key = world.credentials("acme").key;
        let dpop = SigningKey::generate().unwrap();
        let signed = assertion(&world, &key, "acme-client", "1", now() + 60);
        let reply = ask(&world, proof(&world, &dpop, "t"), &form(&signed, "risk:read")).await;
        let token = reply.json::<TokenAnswer>().unwrap().access_token;
        let path = "/api/v1/authority/whoami";
        let url = format!("{}{path}", world.url);
        let send = async |scheme: &str, token: &str, proof: Option<String>| {
            let bearer = format!("{scheme} {token}");
            let mut call = Call::get(path).with("authorization".parse().unwrap(), bearer.parse().unwrap());
            if let Some(proof) = proof {
                call = call.with("dpop".parse().unwrap(), proof.parse().unwrap());
            }
            let reply = world.http().send(call.clone()).await.unwrap();
            world.contract.check(&call, &reply);
            if reply.status.as_u16() == 401 {
                assert!(reply.headers.contains_key("www-authenticate"));
            }
            match reply.success() {
                Ok(_) => "ok".to_owned(),
                Err(ClientError::Problem(problem)) => problem.code,
                Err(other) => panic!("{other}"),
            }
        };
        let by = |key: &SigningKey, id: &str| {
            Some(dpop_proof(key, "GET", &url, now(), id, Some(&token)).unwrap())
        };
        assert_eq!(send("DPoP", &token, by(&dpop, "1")).await, "ok");
        assert_eq!(send("DPoP", &token, by(&dpop, "1")).await, "DPOP_INVALID");
        assert_eq!(send("DPoP", &token, None).await, "DPOP_INVALID");
        assert_eq!(send("Bearer", &token, by(&dpop, "2")).await, "TOKEN_INVALID");
        let mut twice = Call::get(path).with("authorization".parse().unwrap(), format!("DPoP {token}").parse().unwrap());
        for id in ["4", "5"] {
            let proof = by(&dpop, id).unwrap().parse().unwrap();
            twice.headers.append("dpop".parse::<axum::http::HeaderName>().unwrap(), proof);
        }
        let told = String::from_utf8(world.http().send(twice).await.unwrap().body.to_vec()).unwrap();
        assert!(told.contains("DPOP_INVALID") && told.contains("header:DPoP"), "{told}");
        let other = SigningKey::generate().unwrap();
        assert_eq!(send("DPoP", &token, by(&other, "3")).await, "TOKEN_INVALID");
        for end in [0, 10, token.len() / 2, token.len() - 1] {
            let code = send("DPoP", &token[..end], by(&dpop, &format!("cut {end}"))).await;
            assert_eq!(code, "TOKEN_INVALID", "cut at {end}");
        }
    }
}
