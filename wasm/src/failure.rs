//! Errors on their way out.

use js_sys::{Error as JsError, Reflect};
use vectordoc::{Error, ErrorKind};
use wasm_bindgen::prelude::*;

/// An [`Error`] that becomes a JavaScript `Error` with the kind's code as its `code`.
#[derive(Debug)]
pub struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for JsValue {
    fn from(Failure(error): Failure) -> Self {
        let thrown = JsError::new(error.message()).into();
        let code = error.kind().code().into();
        // Setting a property of a new object cannot fail.
        Reflect::set(&thrown, &"code".into(), &code).unwrap_or_default();
        thrown
    }
}

/// Every `code` an error can have, for JavaScript to compare with its own list.
#[wasm_bindgen(js_name = errorCodes)]
pub fn error_codes() -> Vec<String> {
    ErrorKind::ALL.iter().map(|kind| kind.code().into()).collect()
}
