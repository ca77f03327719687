# The agent of Mission Control for a container at the customer's site. From the root of the repository:
#   docker build -f infra/containers/agent.Dockerfile -t mc-agent .
# It needs two volumes: /var/lib/mc-agent (key, spool, logs: keep it) and /etc/mc-agent (configuration, read-only).
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --memory 200m \
#     -v mc-agent:/var/lib/mc-agent -v /etc/mc-agent:/etc/mc-agent:ro mc-agent
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY Directory.Build.props Directory.Build.targets Directory.Packages.props global.json .editorconfig ./
COPY infra/build infra/build
COPY src/Protocol src/Protocol
COPY src/Trust src/Trust
COPY src/ClusterAgent src/ClusterAgent
RUN dotnet publish src/ClusterAgent -c Release -o /agent --nologo

FROM mcr.microsoft.com/dotnet/runtime:10.0
RUN useradd --system --uid 10001 --home-dir /var/lib/mc-agent --shell /usr/sbin/nologin mc-agent \
    && install -d -o mc-agent -g mc-agent -m 0700 /var/lib/mc-agent
COPY --from=build /agent /usr/lib/mc-agent
USER mc-agent
VOLUME /var/lib/mc-agent
ENV DOTNET_gcServer=0 DOTNET_EnableDiagnostics=0
ENTRYPOINT ["/usr/lib/mc-agent/mc-agent"]
CMD ["run", "--data", "/var/lib/mc-agent", "--config", "/etc/mc-agent/agent.json"]
