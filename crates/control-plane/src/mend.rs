//! For the operator: what to do about a refusal of AWS that no waiting mends.

/// By the error's code; nothing for one that says it itself.
pub(crate) fn mend(code: Option<&str>) -> &'static str {
    match code.unwrap_or_default() {
        "AccessDeniedException" | "AccessDenied" => {
            " (the control plane's role lacks the right: compare it with docs/aws.md)"
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            " (nobody has these credentials, or whoever has them lacks the right)"
        }
        "ExpiredTokenException" | "ExpiredToken" => " (the credentials have expired: renew them)",
        "InvalidSignatureException" | "SignatureDoesNotMatch" => " (is this machine's clock right?)",
        "ClusterNotFoundException" | "ResourceNotFoundException" | "QueueDoesNotExist" => {
            " (is that the right name, and the right region?)"
        }
        _ => "",
    }
}
