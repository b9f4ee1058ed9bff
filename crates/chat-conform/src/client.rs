//! stub
/// stub
#[derive(Debug)]
pub struct Command;
/// stub
pub fn judge_client() {}
