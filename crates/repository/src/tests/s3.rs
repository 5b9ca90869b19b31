//! Against an emulator that holds everybody to their policies.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use bytes::Bytes;
use tokio::runtime::Runtime;

use super::*;
use crate::s3::{
    Endpoint, Grants, Place, RenewError, Renews, S3Store, TemporaryKeys, client_of, client_with,
};

const ROLE: &str = "arn:aws:iam::000000000000:role/agents";

/// A bucket of one's own, and the rights to it.
struct Bucket {
    runtime: Runtime,
    sdk: SdkConfig,
    endpoint: Endpoint,
    name: String,
}

/// A grant, made anew each time; counts.
struct Granted(Grants, Place, Arc<AtomicU32>);

impl Renews for Granted {
    fn renew(
        &self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<TemporaryKeys, RenewError>> + Send + '_>> {
        self.2.fetch_add(1, Ordering::Relaxed);
        Box::pin(self.0.keys(&self.1, "agent=1"))
    }
}

impl Bucket {
    fn anew() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let runtime = Runtime::new().unwrap();
        let url = emulator::guarded();
        let root = Credentials::new(emulator::ROOT.0, emulator::ROOT.1, None, None, "tests");
        let sdk = runtime.block_on(
            aws_config::defaults(BehaviorVersion::v2026_01_12())
                .endpoint_url(url)
                .region(Region::from_static("us-east-1"))
                .credentials_provider(root)
                .load(),
        );
        let endpoint = Endpoint { region: "us-east-1".to_owned(), url: Some(url.to_owned()) };
        let name = format!("bucket-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let bucket = Self { runtime, sdk, endpoint, name };
        bucket.runtime.block_on(async {
            make_role(&bucket.sdk).await;
            bucket.client().create_bucket().bucket(&bucket.name).send().await.unwrap();
        });
        bucket
    }

    fn client(&self) -> Client {
        client_of(&self.sdk, &self.endpoint)
    }

    fn place(&self, agent: &str) -> Place {
        Place { bucket: self.name.clone(), prefix: format!("agents/{agent}/") }
    }

    fn store(&self, agent: &str) -> S3Store {
        S3Store::new(self.client(), self.place(agent), self.runtime.handle().clone())
    }

    /// A store at `to`, with keys that were given for `of`.
    fn by_grant(&self, of: &str, to: &str) -> (S3Store, Arc<AtomicU32>) {
        let made = Arc::new(AtomicU32::new(0));
        let grants = Granted(Grants::new(&self.sdk, ROLE.to_owned()), self.place(of), Arc::clone(&made));
        let client = client_with(&self.endpoint, grants);
        (S3Store::new(client, self.place(to), self.runtime.handle().clone()), made)
    }
}

/// The role that may do everything with S3; what is given of it is narrowed.
async fn make_role(sdk: &SdkConfig) {
    let post = |body: &'static str| {
        let url = sdk.endpoint_url().unwrap().trim_start_matches("http://").to_owned();
        std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(&url).unwrap();
            let head = format!(
                "POST / HTTP/1.1\r\nHost: iam.amazonaws.com\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 \
                 Credential=test/20261124/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
        .join()
        .unwrap()
    };
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22\
                 Principal%22%3A%7B%22AWS%22%3A%22*%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let all = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22\
               Action%22%3A%22s3%3A*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
    let make =
        format!("Action=CreateRole&Version=2010-05-08&RoleName=agents&AssumeRolePolicyDocument={trust}");
    let allow =
        format!("Action=PutRolePolicy&Version=2010-05-08&RoleName=agents&PolicyName=s3&PolicyDocument={all}");
    let made = post(make.leak());
    assert!(made.contains("200 OK") || made.contains("EntityAlreadyExists"), "{made}");
    let allowed = post(allow.leak());
    assert!(allowed.contains("200 OK"), "{allowed}");
}

fn object(content: &[u8]) -> (ObjectName, [Bytes; 1]) {
    use sha2::Digest as _;
    let name: String = sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    (name.parse().unwrap(), [Bytes::copy_from_slice(content)])
}

#[test]
fn objects_are_kept_as_they_came() {
    let bucket = Bucket::anew();
    let store = bucket.store("a");
    for kind in [Kind::Key, Kind::Snapshot, Kind::Index, Kind::Pack] {
        assert!(store.list(kind).unwrap().is_empty());
        for length in [1, 1000, 20 * 1024 * 1024 + 7] {
            let content = noise(length, kind as u64);
            let (name, parts) = object(&content);
            assert!(!store.contains(kind, &name).unwrap());
            assert!(matches!(store.read(kind, &name), Err(ObjectError::NotFound(_))));
            store.write(kind, &name, &parts).unwrap();
            store.write(kind, &name, &parts).unwrap();
            assert!(store.contains(kind, &name).unwrap());
            assert!(store.read(kind, &name).unwrap() == content);
            let half = length as u64 / 2;
            let range = store.read_range(kind, &name, half, length as u64 - half).unwrap();
            assert!(range == content[length / 2..]);
            assert!(store.read_range(kind, &name, half, length as u64 + 1).is_err());
            assert!(store.list(kind).unwrap().contains(&Object { name, size: length as u64 }));
        }
        let names = store.list(kind).unwrap();
        assert_eq!(names.len(), 3);
        for object in names {
            store.remove(kind, &object.name).unwrap();
            store.remove(kind, &object.name).unwrap();
        }
        assert!(store.list(kind).unwrap().is_empty());
    }
    let (name, parts) = object(&vec![0; OBJECT_MAX + 1]);
    assert!(matches!(store.write(Kind::Pack, &name, &parts), Err(ObjectError::TooLarge)));
}

#[test]
fn what_is_not_what_its_name_says_is_refused() {
    let bucket = Bucket::anew();
    let (name, _) = object(b"right");
    let error = bucket.store("a").write(Kind::Pack, &name, &[Bytes::from_static(b"wrong")]).unwrap_err();
    assert!(error.retryable(), "{error}");
    assert!(!bucket.store("a").contains(Kind::Pack, &name).unwrap());
}

#[test]
fn a_config_is_the_first_ones() {
    let bucket = Bucket::anew();
    let store = bucket.store("a");
    let name: ObjectName = "0".repeat(64).parse().unwrap();
    store.write(Kind::Config, &name, &[Bytes::from_static(b"one")]).unwrap();
    store.write(Kind::Config, &name, &[Bytes::from_static(b"one")]).unwrap();
    let other = store.write(Kind::Config, &name, &[Bytes::from_static(b"two")]);
    assert!(matches!(other, Err(ObjectError::Fenced)));
    assert_eq!(store.read(Kind::Config, &name).unwrap(), "one");
    assert_eq!(store.list(Kind::Config).unwrap(), [Object { name, size: 3 }]);
}

#[test]
fn a_home_goes_there_and_comes_back_by_a_grant() {
    let bucket = Bucket::anew();
    let home = folder();
    fs::write(home.path().join("notes"), "ñandú").unwrap();
    fs::write(home.path().join("large"), noise(3_000_000, 1)).unwrap();
    let (store, _) = bucket.by_grant("a", "a");
    let saved = Repository::new(Arc::new(store), key("a")).persist(home.path()).unwrap();
    let back = folder();
    let (store, _) = bucket.by_grant("a", "a");
    Repository::new(Arc::new(store), key("a")).hydrate(&saved.id, back.path()).unwrap();
    assert_eq!(tree(back.path()), tree(home.path()));

    bucket.store("a").purge().unwrap();
    assert!(Kind::ALL.iter().all(|kind| bucket.store("a").list(*kind).unwrap().is_empty()));
}

#[test]
fn keys_for_one_agent_reach_no_others() {
    let bucket = Bucket::anew();
    let (name, parts) = object(b"secret");
    for agent in ["a", "ab"] {
        bucket.store(agent).write(Kind::Pack, &name, &parts).unwrap();
        bucket.store(agent).write(Kind::Snapshot, &name, &parts).unwrap();
    }
    let (own, made) = bucket.by_grant("a", "a");
    assert_eq!(own.read(Kind::Pack, &name).unwrap(), "secret");
    assert_eq!(own.list(Kind::Pack).unwrap().len(), 1);
    assert!(own.remove(Kind::Pack, &name).is_err(), "what snapshots consist of is not its to remove");
    own.remove(Kind::Snapshot, &name).unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 1, "keys are kept as long as they last");
    let (others, _) = bucket.by_grant("a", "ab");
    assert!(others.read(Kind::Pack, &name).is_err());
    assert!(others.list(Kind::Pack).is_err());
    assert!(others.contains(Kind::Pack, &name).is_err());
    let (new, parts) = object(b"planted");
    assert!(others.write(Kind::Pack, &new, &parts).is_err());
    assert!(others.remove(Kind::Snapshot, &name).is_err());
    assert!(others.purge().is_err());
    assert!(bucket.store("ab").contains(Kind::Snapshot, &name).unwrap());
}

#[test]
fn a_bucket_that_is_not_there_is_no_empty_repository() {
    let bucket = Bucket::anew();
    let gone = Place { bucket: "no-such-bucket".to_owned(), prefix: "agents/a/".to_owned() };
    let store = S3Store::new(bucket.client(), gone, bucket.runtime.handle().clone());
    assert!(matches!(store.list(Kind::Snapshot), Err(ObjectError::Failed(_))));
    let error = store.read(Kind::Snapshot, &object(b"x").0).unwrap_err();
    assert!(matches!(&error, ObjectError::Failed(why) if why.contains("NoSuchBucket")), "{error}");
}
