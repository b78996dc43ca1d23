package mm.e2e;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.SubscriptionTriggeringProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.validation.JpaValidationSupportChain;
import ca.uhn.fhir.rest.server.IncomingRequestAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The REST face of the storage, at /fhir. */
@Configuration
public class RestConfig {

  @Bean
  RestfulServer restfulServer(
      FhirContext context,
      IFhirSystemDao<?, ?> systemDao,
      IJpaSystemProvider systemProvider,
      ResourceProviderFactory resourceProviders,
      SubscriptionTriggeringProvider triggering,
      JpaStorageSettings settings,
      ISearchParamRegistry searchParams,
      JpaValidationSupportChain validationSupport,
      DatabaseBackedPagingProvider paging) {
    RestfulServer server = new RestfulServer(context);
    server.registerProviders(resourceProviders.createProviders());
    server.registerProviders(systemProvider, triggering);
    server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
        server, systemDao, settings, searchParams, validationSupport));
    server.setPagingProvider(paging);
    server.setServerAddressStrategy(new IncomingRequestAddressStrategy());
    return server;
  }

  @Bean
  ServletRegistrationBean<RestfulServer> fhirServlet(RestfulServer server) {
    ServletRegistrationBean<RestfulServer> bean =
        new ServletRegistrationBean<>(server, "/fhir/*");
    bean.setLoadOnStartup(1);
    return bean;
  }
}
