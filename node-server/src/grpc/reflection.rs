//! The reflection service of gRPC, by which tools learn what can be called.

use crate::server::{Context, stopped};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use futures_util::StreamExt;
use std::sync::Arc;
use tonic_reflection::server::Builder;

/// The `.proto`, compiled, with its comments.
const DESCRIPTOR: &[u8] = include_bytes!("generated/descriptor.bin");

/// The service in both of its versions; tools ask for either.
pub(super) fn routes(context: &Arc<Context>) -> Router<Arc<Context>> {
    let routes = Router::new();
    let builder = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (Ok(v1), Ok(v1alpha)) = (builder().build_v1(), builder().build_v1alpha()) else {
        tracing::error!("the description of the gRPC services cannot be read");
        return routes;
    };
    routes
        .route_service("/grpc.reflection.v1.ServerReflection/{rpc}", v1)
        .route_service("/grpc.reflection.v1alpha.ServerReflection/{rpc}", v1alpha)
        .layer(middleware::from_fn_with_state(Arc::clone(context), until_stopped))
}

/// Hands a request on, whose body ends when the server stops: the service answers until it has been
/// asked everything, and some tools never say that they have.
async fn until_stopped(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    let mut phase = context.phase.subscribe();
    let stopped = async move { stopped(&mut phase).await };
    let body = |body: Body| Body::from_stream(body.into_data_stream().take_until(stopped));
    next.run(request.map(body)).await
}
