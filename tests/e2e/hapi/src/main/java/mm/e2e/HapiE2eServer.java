package mm.e2e;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.context.annotation.Import;

/**
 * A HAPI FHIR JPA server (R4) for end-to-end tests: one process, one in-memory
 * database, gone when the process ends.
 *
 * <p>Auto-configuration is named piece by piece instead of switched on as a
 * whole: every piece that is not needed costs start-up time.
 */
@SpringBootConfiguration
@ImportAutoConfiguration({
    DataSourceAutoConfiguration.class,
    ServletWebServerFactoryAutoConfiguration.class
})
@Import({StorageConfig.class, RestConfig.class})
public class HapiE2eServer {

  public static void main(String[] args) {
    SpringApplication.run(HapiE2eServer.class, args);
  }
}
