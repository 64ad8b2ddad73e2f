//! Channels as clients see them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, ETAG, IF_NONE_MATCH};
use serde_json::Value;

use crate::client::{http, on_runtime};
use crate::conda::{ChannelAccess, Channels, CondaPackageBuilder};
use crate::{Fault, sha256};

/// Status, tag and body of what is at an address, asked for with one header.
async fn get(url: String, header: Option<(&'static str, String)>) -> (u16, String, Vec<u8>) {
    on_runtime(async move {
        let request = http(None).get(url);
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let answer = request.send().await.expect("an answer");
        let tag = answer.headers().get(ETAG).map(|tag| tag.to_str().expect("a tag").to_owned());
        let status = answer.status().as_u16();
        (status, tag.unwrap_or_default(), answer.bytes().await.expect("a body").to_vec())
    })
    .await
}

#[tokio::test]
async fn lists_name_what_is_there() {
    let channels = Channels::new();
    let forge = channels.channel("conda-forge");
    let package = CondaPackageBuilder::new("demo", "1.0").build();
    let old = CondaPackageBuilder::new("old", "1.0").old_format().build();
    forge.add(&package).add(&old);
    channels.channel("bioconda").add(&CondaPackageBuilder::new("other", "1.0").build());
    let list = format!("{}/linux-64/repodata.json", forge.url());

    let (status, tag, body) = get(list.clone(), None).await;

    let parsed: Value = serde_json::from_slice(&body).expect("JSON");
    let record = &parsed["packages.conda"][&package.file_name];
    assert_eq!((status, &parsed["info"]["subdir"]), (200, &"linux-64".into()));
    assert!(parsed["packages"][&old.file_name].is_object());
    let (_, _, file) = get(format!("{}/linux-64/{}", forge.url(), package.file_name), None).await;
    assert_eq!(sha256(&file), format!("sha256:{}", record["sha256"].as_str().expect("a digest")));
    assert_eq!(record["size"], file.len());
    let (_, _, compressed) = get(format!("{list}.zst"), None).await;
    assert_eq!(zstd::decode_all(&compressed[..]).expect("a list"), body);

    assert_eq!(get(list.clone(), Some((IF_NONE_MATCH.as_str(), tag.clone()))).await.0, 304);
    forge.change_record(&package, |record| record["depends"] = serde_json::json!(["python <3"]));
    let (status, changed, body) = get(list.clone(), Some((IF_NONE_MATCH.as_str(), tag.clone()))).await;
    let parsed: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        (status, &parsed["packages.conda"][&package.file_name]["depends"][0]),
        (200, &"python <3".into())
    );
    assert_ne!(changed, tag);

    forge.remove(&package);
    assert_eq!(get(format!("{}/linux-64/{}", forge.url(), package.file_name), None).await.0, 404);
    channels.inject(Fault::on("repodata").status(503));
    assert_eq!(get(list, None).await.0, 503);
}

#[tokio::test]
async fn strangers_stay_outside() {
    let basic = format!("Basic {}", STANDARD.encode("alice:secret"));
    let access = [
        (ChannelAccess::Token("abc".to_owned()), None),
        (ChannelAccess::Basic("alice".to_owned(), "secret".to_owned()), Some(basic)),
        (ChannelAccess::Bearer("abc".to_owned()), Some("Bearer abc".to_owned())),
    ];
    for (access, credentials) in access {
        let name = format!("{access:?}");
        let channels = Channels::with_access(access);
        let forge = channels.channel("conda-forge");
        let path = "conda-forge/noarch/repodata.json";

        assert_eq!(get(format!("{}/{path}", channels.url()), None).await.0, 401, "{name}");
        let header = credentials.map(|credentials| (AUTHORIZATION.as_str(), credentials));
        if header.is_none() {
            assert_eq!(get(format!("{}/t/other/{path}", channels.url()), None).await.0, 403);
        }
        let token = if header.is_none() { "t/abc/" } else { "" };
        assert_eq!(get(format!("{}/{token}{path}", channels.url()), header).await.0, 200, "{name}");
        assert!(forge.url().ends_with("/conda-forge"));
    }
}
