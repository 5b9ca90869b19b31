//! A large object in parts, several at a time. It is there once all of them
//! are, or not at all.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;

use super::error::{Refused, refused};

/// S3 takes no less, but for the last.
const PART: usize = 8 * 1024 * 1024;
const AT_ONCE: usize = 4;

pub async fn put(client: &Client, bucket: &str, key: &str, content: Bytes) -> Result<(), Refused> {
    let begun = client
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .send()
        .await
        .map_err(refused)?;
    let id = begun.upload_id().ok_or_else(|| Refused::Other("S3 named no upload".to_owned()))?;
    let done = finish(client, bucket, key, id, content).await;
    if done.is_err() {
        // What stays is removed by the bucket's lifecycle rule; the first error is the one to tell.
        let _ = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id).send().await;
    }
    done
}

async fn finish(client: &Client, bucket: &str, key: &str, id: &str, content: Bytes) -> Result<(), Refused> {
    let pieces = (0..content.len()).step_by(PART).map(|at| content.slice(at..content.len().min(at + PART)));
    let parts: Vec<Result<CompletedPart, Refused>> = stream::iter((1..).zip(pieces))
        .map(|(number, piece)| async move {
            let part = client
                .upload_part()
                .bucket(bucket)
                .key(key)
                .upload_id(id)
                .part_number(number)
                .checksum_algorithm(ChecksumAlgorithm::Crc32)
                .body(ByteStream::from(piece))
                .send()
                .await
                .map_err(refused)?;
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .set_checksum_crc32(part.checksum_crc32)
                .build())
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
    client
        .complete_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(id)
        .if_none_match("*")
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .send()
        .await
        .map(drop)
        .map_err(refused)
}
