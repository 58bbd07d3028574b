//! The health service of gRPC: whether this server takes calls, which it does until it stops.

use crate::server::{Context, Phase};
use futures_util::{StreamExt, stream, stream::BoxStream};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};

/// The service.
pub(super) fn service(context: &Arc<Context>) -> HealthServer<impl Health> {
    HealthServer::new(Pulse { context: Arc::clone(context) })
}

struct Pulse {
    context: Arc<Context>,
}

/// What is known here: the whole server, which has no name, and its service.
fn is_known(service: &str) -> bool {
    ["", super::SERVICE].contains(&service)
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

fn of_phase(phase: Phase) -> ServingStatus {
    match phase {
        Phase::Serving => ServingStatus::Serving,
        Phase::Draining | Phase::Ended => ServingStatus::NotServing,
    }
}

#[tonic::async_trait]
impl Health for Pulse {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = &request.get_ref().service;
        if !is_known(service) {
            return Err(Status::not_found(format!("there is no service {service:?}")));
        }
        Ok(Response::new(response(of_phase(*self.context.phase.borrow()))))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// Tells the state now and, if that is not the end, the end.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        if !is_known(&request.get_ref().service) {
            // Such a service may come one day, says the protocol, so the stream is not to end;
            // here none comes, and a stream without an end would keep a server from stopping.
            let unknown = stream::iter([Ok(response(ServingStatus::ServiceUnknown))]);
            return Ok(Response::new(unknown.boxed()));
        }
        let phase = self.context.phase.subscribe();
        let told = stream::unfold((phase, None), |(mut phase, told)| async move {
            let status = match told {
                None => of_phase(*phase.borrow()),
                Some(ServingStatus::Serving) => {
                    crate::server::stopped(&mut phase).await;
                    ServingStatus::NotServing
                }
                Some(_) => return None,
            };
            Some((Ok(response(status)), (phase, Some(status))))
        });
        Ok(Response::new(told.boxed()))
    }
}
